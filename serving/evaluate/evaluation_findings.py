"""Predicts labelled images and computes the findings."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from serving.analysis import compute
from serving.analysis.drift import drift
from serving.analysis.findings import Findings
from serving.evaluate.changed import Changed, choose, predict_changed
from serving.evaluate.labelled import Labelled
from serving.evaluate.predicting import Predictions, predict_labelled
from serving.model import Model
from serving.predict import files as predict
from serving.progress import Progress
from transform_module import contract
from transform_module.contract import LABELS
from transform_module.errors import NothingValid, UserError, first_mistake
from transform_module.images.distribution import Distribution

Step = Callable[[str], AbstractContextManager[Progress | None]]
"""Begins a step of the work, by its name; it yields a progress callback."""


@contextlib.contextmanager
def unshown(_: str) -> Iterator[None]:
    """Shows nothing."""
    yield None


@dataclass(frozen=True)
class Named:
    """A model and how it is called."""

    name: str
    model: Model


class NoneValid(NothingValid):
    """None of the images can be used.

    Attributes:
        predictions: with the reasons.
        threshold: the model's operating threshold.
    """

    def __init__(self, predictions: Predictions, threshold: float) -> None:
        super().__init__(f"None of the {len(predictions.reasons):,} images can be used.")
        self.predictions = predictions
        self.threshold = threshold


def findings(
    subject: Named,
    images: Sequence[Labelled],
    *,
    data: str,
    other: Named | None,
    corruptions: int,
    notes: Sequence[str] = (),
    step: Step = unshown,
) -> tuple[Findings, Predictions]:
    """Predicts images, and computes the findings.

    Args:
        subject: the model.
        images: at least one of each class.
        data: what they are, in a few words.
        other: a model to compare with; None compares with none.
        corruptions: how many of the images are corrupted and shifted, too; 0 changes none.
        notes: what to know of the images, a sentence each.
        step: shows what is done.

    Returns:
        The findings, and what was evaluated.

    Raises:
        NoneValid: none of the images can be used.
        UserError: a class is missing, or a model's record has too little.
    """
    model = subject.model
    threshold = _threshold(model)
    with step("Predict images") as progress:
        predictions = predict_labelled(
            model.predict,
            images,
            pixels_of=model.pixels,
            other_predictor=other.model.predict if other else None,
            progress=progress,
        )
    valid = [image for image, row in zip(images, predictions.images, strict=True) if row.valid]
    if not valid:
        raise NoneValid(predictions, threshold)
    changed = Changed()
    if corruptions:
        with step("Predict changed images") as progress:
            changed = predict_changed(
                model.predict, _sample(valid, corruptions), threshold, progress=progress
            )
    with step("Compute figures"):
        found = compute.findings(
            predictions.predicted,
            model=subject.name,
            record=model.record,
            data=data,
            threshold=threshold,
            corruptions=changed.corruptions,
            shifts=changed.shifts,
            drift=drift(trained_on(model.path), predictions.predicted),
            other=compute.other(predictions.images, other.name, _threshold(other.model))
            if other
            else None,
            notes=notes,
        )
    return found, predictions


def _sample(images: Sequence[Labelled], size: int) -> Iterator[tuple[str, bool, bytes]]:
    """Reads a sample of images; those that are gone meanwhile are left out."""
    files = {image.name: image.file for image in images}
    chosen = choose({image.name: image.label == LABELS[1] for image in images}, size)
    for name, is_ill in chosen.items():
        content = predict.read_image(files[name])
        if isinstance(content, bytes):
            yield name, is_ill, content


def _threshold(model: Model) -> float:
    threshold = model.record.get("threshold")
    if not isinstance(threshold, int | float):
        raise UserError(f"The record of {model.path} has no operating threshold.")
    return float(threshold)


def trained_on(version: Path) -> dict[str, Distribution]:
    """Reads the statistics of the training; models from before they were kept have none."""
    path = version / contract.TRAINING_STATISTICS
    if not path.exists():
        return {}
    try:
        return TypeAdapter(dict[str, Distribution]).validate_json(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        raise UserError(f"{path} holds no statistics ({first_mistake(error)}).") from error
