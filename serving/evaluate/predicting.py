"""Predicting labelled images."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from serving.analysis.predicted import UNDECIDED, Predicted, PredictedImage, table
from serving.evaluate.labelled import Labelled
from serving.evaluate.pixels import describe
from serving.predict import files
from serving.predict.files import Content, FilePrediction, Predictor
from serving.progress import Progress
from transform_module.contract import LABELS


@dataclass(frozen=True)
class Predictions:
    """Predictions of images, by one model or two.

    Attributes:
        images: with the predictions of the model, and of the other one if there is one, in order.
        predicted: the same as a table, with further columns.
        reasons: why each is not a readable image, empty where it is one.
    """

    images: list[PredictedImage]
    predicted: Predicted
    reasons: list[str]


def predict_labelled(
    predictor: Predictor,
    images: Sequence[Labelled],
    *,
    pixels_of: Callable[[Sequence[bytes]], np.ndarray],
    other_predictor: Predictor | None = None,
    progress: Progress | None = None,
) -> Predictions:
    """Predicts images; a broken one does not touch the others.

    Args:
        predictor: the model.
        images: at least one.
        pixels_of: the images as the model sees them, which are measured; see `Model.pixels`.
        other_predictor: another model, for the same images.
        progress: gets the images done and their total.
    """
    rows: list[PredictedImage] = []
    reasons: list[str] = []
    known_files: list[_File] = []
    for batch in files.batches(_contents(images, known_files)):
        predictions = list(files.predict_batch(predictor, batch))
        others = (
            files.predict_batch(other_predictor, batch) if other_predictor else [None] * len(batch)
        )
        known = _described(batch, predictions, pixels_of)
        for prediction, other, described in zip(predictions, others, known, strict=True):
            place = len(rows)
            rows.append(_row(images[place], known_files[place], prediction, other, described))
            reasons.append(prediction.reason)
        if progress:
            progress(len(rows), len(images))
    others_of = {
        name: np.array([image.others[name] for image in images], str) for name in images[0].others
    }
    return Predictions(rows, table(rows, others_of), reasons)


@dataclass(frozen=True)
class _File:
    """A file's size in bytes and its SHA-256, 0 and empty where it was not read."""

    bytes: int = 0
    sha256: str = ""


def _contents(images: Sequence[Labelled], known: list[_File]) -> Iterator[Content]:
    """Yields the images, and adds to what is known of their files."""
    for image in images:
        content = image.problem or files.read(image.file)
        if isinstance(content, str):
            known.append(_File())
            yield image.file, content
        else:
            known.append(_File(len(content), hashlib.sha256(content).hexdigest()))
            yield image.file, files.image_of(content)


def _described(
    batch: Sequence[Content],
    predictions: Sequence[FilePrediction],
    pixels_of: Callable[[Sequence[bytes]], np.ndarray],
) -> list[dict[str, Any]]:
    """Returns what each image is besides what it shows; nothing of those that are not valid."""
    contents = [
        content if prediction.valid and isinstance(content, bytes) else b""
        for (_, content), prediction in zip(batch, predictions, strict=True)
    ]
    return [
        describe(content, pixels) if content else {}
        for content, pixels in zip(contents, pixels_of(contents), strict=True)
    ]


def _row(
    image: Labelled,
    file: _File,
    prediction: FilePrediction,
    other: FilePrediction | None,
    known: dict[str, Any],
) -> PredictedImage:
    patient = image.patient or f"image-{image.name}"
    if file.sha256 and image.patient is None:
        # Copies of one image are of one patient.
        patient = f"image-{file.sha256[:16]}"
    return PredictedImage(
        path=image.name,
        patient=patient,
        label=image.label == LABELS[1],
        subtype=image.subtype,
        probability=_probability(prediction),
        valid=prediction.valid,
        in_domain=prediction.in_domain,
        domain_distance=prediction.domain_distance,
        triage=prediction.triage,
        bytes=file.bytes,
        sha256=file.sha256,
        **known,
        other_probability=_probability(other) if other else None,
        other_valid=other.valid if other else None,
    )


def _probability(prediction: FilePrediction) -> float:
    return UNDECIDED if prediction.probability is None else prediction.probability
