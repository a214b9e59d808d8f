"""A pushed model, found and loaded: it needs nothing of the pipeline that made it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from components.collector import importing
from components.errors import UserError
from components.pushed import versions as versions_of
from transform_module import features


@dataclass(frozen=True)
class Answer:
    """What the model says of one picture.

    Attributes:
        probability: of pneumonia; 0.5 where it is not valid.
        label: NORMAL, PNEUMONIA or INVALID.
        valid: whether the picture could be decoded.
        in_domain: whether it looks like the pictures that the model learnt from; false where it is
            not valid; None where the model was pushed before models told this.
        domain_distance: how far it is from them, about 1 for one of them; None as ``in_domain``.
    """

    probability: float
    label: str
    valid: bool
    in_domain: bool | None = None
    domain_distance: float | None = None


class Model:
    """A SavedModel with the signature ``serving_default``.

    Attributes:
        path: the version's folder.
        record: what the model tells of itself: labels, threshold, training.
    """

    def __init__(self, path: Path) -> None:
        """Loads a model, which takes seconds.

        Args:
            path: a version's folder, see `find_version`.

        Raises:
            UserError: it does not load, or is none of ours.
        """
        with importing():
            import tensorflow as tf

        self.path = path
        self.record: dict[str, Any] = _read_record(path)
        try:
            # Held, because its signatures lose their variables without it.
            self._loaded = tf.saved_model.load(str(path))
        except (OSError, ValueError, tf.errors.OpError) as error:
            raise UserError(f"{path} cannot be loaded as a model: {error}") from error
        if features.SERVING_DEFAULT not in self._loaded.signatures:
            raise UserError(
                f"{path} is no model of this pipeline: it has no signature "
                f"{features.SERVING_DEFAULT}."
            )
        self._predict = self._loaded.signatures[features.SERVING_DEFAULT]

    def check_explains(self) -> None:
        """Checks that `heat_maps` can be asked.

        Raises:
            UserError: the model has no signature ``explain``.
        """
        if features.EXPLAIN not in self._loaded.signatures:
            raise UserError(
                f"{self.path} does not explain its answers: it has no signature "
                f"{features.EXPLAIN}, as models that were pushed before there was one. Train and "
                "push one anew (cxr run)."
            )

    def heat_maps(self, images: Sequence[bytes]) -> np.ndarray:
        """Explains the answers to encoded pictures; see `check_explains`.

        Returns:
            [N, 160, 160] float32 in [0, 1]: where in the picture pneumonia is seen; a map's highest
            value is 1, or all of it 0.
        """
        import tensorflow as tf

        explain = self._loaded.signatures[features.EXPLAIN]
        out = explain(**{features.IMAGE_BYTES: tf.constant(list(images), tf.string)})
        return np.asarray(out[features.HEATMAP])

    def answer(self, images: Sequence[bytes]) -> list[Answer]:
        """Judges encoded pictures; one that is broken does not touch the others."""
        import tensorflow as tf

        out = self._predict(**{features.IMAGE_BYTES: tf.constant(list(images), tf.string)})
        labels = [label.decode() for label in out[features.PREDICTED_LABEL].numpy()]
        columns = {
            name: out[name].numpy().tolist()
            for name in (
                features.PROBABILITY,
                features.VALID,
                features.IN_DOMAIN,
                features.DOMAIN_DISTANCE,
            )
            if name in out
        }
        return [
            Answer(label=label, **dict(zip(columns, row, strict=True)))
            for label, *row in zip(labels, *columns.values(), strict=True)
        ]


def find_version(path: Path) -> Path:
    """Finds the folder of a version.

    Args:
        path: a version's folder, or a folder of versions, of which the latest is taken.

    Returns:
        The folder that holds ``saved_model.pb``.

    Raises:
        UserError: there is none.
    """
    if (path / "saved_model.pb").is_file():
        return path
    versions = [
        pushed.path
        for pushed in versions_of(path.parent, path.name)
        if (pushed.path / "saved_model.pb").is_file()
    ]
    if not versions:
        raise UserError(
            f"No model at {path}. Give the folder of a version (it holds saved_model.pb), or the "
            "folder of a model's versions, such as cxr-root/pushed/chest_xray."
        )
    return versions[-1]


def _read_record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads((path / features.MODEL_RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} is no model of this pipeline: {features.MODEL_RECORD} cannot be read "
            f"({error})."
        ) from error
    return dict(record)
