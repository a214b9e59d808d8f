"""A pushed model, found and loaded: it needs nothing of the pipeline that made it."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from serving.files.local_paths import require_local
from serving.process.collector import importing, without_keras
from serving.versions import pushed
from serving.versions.signature import required
from transform_module import contract
from transform_module.errors import UserError

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prediction:
    """The prediction of one image.

    Attributes:
        probability: of pneumonia; 0.5 where it is not valid.
        label: NORMAL, PNEUMONIA or INVALID.
        valid: whether the image could be decoded.
        in_domain: whether it looks like the training images; false where it is
            not valid; None where the model is of an earlier release without it.
        domain_distance: how far it is from them, about 1 for one of them; None as ``in_domain``.
        triage: NORMAL or PNEUMONIA where the error rates that the model was made for allow one of
            them, else REVIEW, as where ``in_domain`` is false; None where the model is of an
            earlier release without it.
    """

    probability: float
    label: str
    valid: bool
    in_domain: bool | None = None
    domain_distance: float | None = None
    triage: str | None = None


class Model:
    """A SavedModel with the signature ``serving_default``.

    Attributes:
        path: the version's folder.
        record: the model's own record: labels, threshold, training.
        loaded: the SavedModel, as TensorFlow gives it.
    """

    def __init__(self, path: Path) -> None:
        """Loads a model, which takes seconds.

        Args:
            path: a version's folder, see `find_version`.

        Raises:
            UserError: it does not load, or is not a model of this pipeline.
        """
        with importing(), without_keras():
            import tensorflow as tf

        self.path = path
        self.record: dict[str, Any] = read_record(path)
        try:
            # Held, because its signatures lose their variables without it.
            self.loaded = tf.saved_model.load(str(path))
        except (OSError, ValueError, tf.errors.OpError) as error:
            raise UserError(f"{path} cannot be loaded as a model: {error}") from error
        if contract.SERVING_DEFAULT not in self.loaded.signatures:
            raise UserError(
                f"{path} is not a model of this pipeline: it has no signature "
                f"{contract.SERVING_DEFAULT}."
            )
        self._predict = self.loaded.signatures[contract.SERVING_DEFAULT]

    def signature(self, name: str) -> Any:
        """Returns one of the model's signatures, by its name.

        Raises:
            UserError: it has none of this name.
        """
        if name not in self.loaded.signatures:
            raise UserError(
                f"{self.path} has no signature {name}: it was made before there was one. Run the "
                "pipeline again, and take the version that it pushes."
            )
        return self.loaded.signatures[name]

    def check_explains(self) -> None:
        """Checks that `heat_maps` can be called.

        Raises:
            UserError: the model has no signature ``explain``.
        """
        if contract.EXPLAIN not in self.loaded.signatures:
            raise UserError(
                f"{self.path} does not explain its predictions: it has no signature "
                f"{contract.EXPLAIN}, as models that were pushed before there was one. Train and "
                "push one anew (cxr run)."
            )

    def heat_maps(self, images: Sequence[bytes]) -> np.ndarray:
        """Explains the predictions of encoded images; see `check_explains`.

        Returns:
            [N, 160, 160] float32 in [0, 1]: where in the image pneumonia is seen; a map's highest
            value is 1, or all of it 0.
        """
        import tensorflow as tf

        explain = self.loaded.signatures[contract.EXPLAIN]
        out = explain(**{contract.IMAGE_BYTES: tf.constant(list(images), tf.string)})
        return np.asarray(out[contract.HEATMAP])

    def pixels(self, images: Sequence[bytes]) -> np.ndarray:
        """Prepares encoded images by the model's own graph, whatever prepares them there.

        Returns:
            [N, size, size, 1] uint8: the grey levels that the network sees, black where an image
            cannot be decoded.

        Raises:
            UserError: the model has no signature ``transform_features``.
        """
        import tensorflow as tf

        transform = self.signature(contract.TRANSFORM_FEATURES)
        out = transform(**{contract.EXAMPLES: tf.constant(list(map(_example, images)), tf.string)})
        return np.round(out[contract.IMAGE_XF].numpy() * 255).astype(np.uint8)

    def predict(self, images: Sequence[bytes]) -> list[Prediction]:
        """Predicts encoded images; one that is broken does not touch the others."""
        import tensorflow as tf

        out = self._predict(**{contract.IMAGE_BYTES: tf.constant(list(images), tf.string)})
        columns = {
            name: _values(out[name])
            for name in (
                contract.PROBABILITY,
                contract.PREDICTED_LABEL,
                contract.VALID,
                contract.IN_DOMAIN,
                contract.DOMAIN_DISTANCE,
                contract.TRIAGE,
            )
            if name in out
        }
        return [
            Prediction(**dict(zip(columns, row, strict=True)))
            for row in zip(*columns.values(), strict=True)
        ]


def _values(column: Any) -> list[Any]:
    values = column.numpy().tolist()
    return [value.decode() if isinstance(value, bytes) else value for value in values]


def _example(image: bytes) -> bytes:
    import tensorflow as tf

    example = tf.train.Example()
    example.features.feature[contract.IMAGE].bytes_list.value.append(image)
    return bytes(example.SerializeToString())


def find_version(path: Path) -> Path:
    """Finds the folder of a version.

    Args:
        path: a version's folder, or a folder of versions, of which the newest whole one is taken;
            of each newer one that is not whole a warning says why. A version's folder that has no
            manifest was never pushed, and is taken as it is, unless a signature is required.

    Returns:
        The folder that holds ``saved_model.pb``.

    Raises:
        UserError: there is none, or it is not what was pushed.
    """
    require_local(path, "The model")
    try:
        if (path / pushed.SAVED_MODEL).is_file():
            # Where a signature is required, what was never pushed has none.
            is_pushed = (path / pushed.MANIFEST).exists() or required() is not None
            if is_pushed and (problems := pushed.verify(path)):
                raise UserError(f"{problems[0]}. Name another version.")
            return path
        found = pushed.newest(path.parent, path.name)
    except NotADirectoryError:
        found = pushed.Newest(None)
    except OSError as error:
        raise UserError(f"{path}: the model cannot be read: {error}.") from error
    for problem in found.broken:
        _LOG.warning("A version is passed over: %s.", problem)
    if found.version:
        return found.version.path
    if found.broken:
        raise UserError(
            f"{found.broken[0]}. No version at {path} is whole. To use a model that was never "
            "pushed, give the folder that holds its saved_model.pb."
        )
    raise UserError(
        f"No model at {path}. Give the folder of a version (it holds saved_model.pb), or the "
        "folder of a model's versions, such as cxr-root/pushed/chest_xray."
    )


def read_record(path: Path) -> dict[str, Any]:
    """Reads a model's own record, without loading the model.

    Args:
        path: a version's folder.

    Raises:
        UserError: it has none, or a damaged one.
    """
    try:
        record = json.loads((path / contract.MODEL_RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} is not a model of this pipeline: {contract.MODEL_RECORD} cannot be read "
            f"({error})."
        ) from error
    return dict(record)
