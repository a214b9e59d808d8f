"""Asking models about labelled images."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from components.analysis.predicted import Predicted
from components.images.progress import Progress
from serving import predict
from serving.evaluate.labelled import Labelled
from serving.evaluate.pixels import describe
from serving.predict import Ask, Content, Prediction
from transform_module.features import LABELS
from transform_module.measures import MEASURES
from transform_module.settings import TransformSettings

_TEXTS = ("path", "patient", "subtype", "mode", "sha256")
_WHOLE = ("width", "height", "bytes")


@dataclass(frozen=True)
class Answers:
    """What another model says of the same images.

    Attributes:
        probability: [N] float64 of pneumonia, 0.5 where it is not valid.
        valid: [N] bool, whether it could decode them.
    """

    probability: np.ndarray
    valid: np.ndarray


@dataclass(frozen=True)
class Predictions:
    """What models say of images.

    Attributes:
        predicted: the images with the model's answers, in their order.
        reasons: why each is not a readable image, empty where it is one.
        other: the other model's answers, None without one.
    """

    predicted: Predicted
    reasons: list[str]
    other: Answers | None


def predict_labelled(
    ask: Ask,
    images: Sequence[Labelled],
    *,
    transform: TransformSettings,
    ask_other: Ask | None = None,
    progress: Progress | None = None,
) -> Predictions:
    """Asks about images; a broken one does not touch the others.

    Args:
        ask: the model.
        images: at least one.
        transform: the model's, by which the images are measured as it sees them.
        ask_other: another model, which is asked about the same.
        progress: gets the images done and their total.
    """
    rows: list[dict[str, Any]] = []
    reasons: list[str] = []
    others: list[Prediction] = []
    for batch in predict.batches(_contents(images)):
        predictions = predict.predict_batch(ask, batch)
        for (_, content), prediction in zip(batch, predictions, strict=True):
            rows.append(_row(images[len(rows)], content, prediction, transform))
            reasons.append(prediction.reason)
        if ask_other:
            others += predict.predict_batch(ask_other, batch)
        if progress:
            progress(len(rows), len(images))
    return Predictions(_table(rows, images), reasons, _answers(others) if ask_other else None)


def _contents(images: Sequence[Labelled]) -> Iterator[Content]:
    for image in images:
        yield image.file, image.problem or predict.read(image.file)


def _row(
    image: Labelled, content: bytes | str, prediction: Prediction, transform: TransformSettings
) -> dict[str, Any]:
    row = {
        "path": image.name,
        "patient": image.patient or f"image-{image.name}",
        "label": image.label == LABELS[1],
        "subtype": image.subtype,
        "probability": prediction.probability if prediction.valid else 0.5,
        "valid": prediction.valid,
        "in_domain": prediction.in_domain,
        "mode": "",
        "sha256": image.sha256,
        **dict.fromkeys(_WHOLE, 0),
        **dict.fromkeys(MEASURES, np.nan),
    }
    if not isinstance(content, bytes):
        return row
    row["bytes"] = len(content)
    row["sha256"] = sha256 = image.sha256 or hashlib.sha256(content).hexdigest()
    if image.patient is None:
        # Copies of one image are of one patient.
        row["patient"] = f"image-{sha256[:16]}"
    return row | (describe(content, transform) if prediction.valid else {})


def _table(rows: Sequence[dict[str, Any]], images: Sequence[Labelled]) -> Predicted:
    columns = {
        name: np.array([row[name] for row in rows], str if name in _TEXTS else None)
        for name in rows[0]
    }
    in_domain = columns.pop("in_domain")
    # A model reports it for every valid image, or of none.
    is_told = any(each is not None for each in in_domain)
    others = {
        name: np.array([image.others[name] for image in images], str) for name in images[0].others
    }
    return Predicted(
        **columns, in_domain=in_domain.astype(bool) if is_told else None, others=others
    )


def _answers(predictions: Sequence[Prediction]) -> Answers:
    return Answers(
        np.array([each.probability if each.valid else 0.5 for each in predictions]),
        np.array([each.valid for each in predictions]),
    )
