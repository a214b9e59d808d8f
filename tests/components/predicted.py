"""Predictions of a model that stand in for the Evaluator's, made for tests."""

from collections.abc import Sequence
from typing import Any

from tfx import types

from components.artifacts import model_sums
from components.evaluator import predictions
from components.evaluator.predictions import Models
from serving.analysis.predicted import PredictedImage
from transform_module.files.sums import digest


def image(path: str, probability: float = 0.25, **known: Any) -> PredictedImage:
    """One image of its own patient, PNEUMONIA where `label` is given so."""
    same = {"patient": path, "label": False, "subtype": "normal", "valid": True, "sha256": "f" * 64}
    return PredictedImage(path=path, probability=probability, **{**same, **known})


def write(
    evaluation: types.Artifact, model: types.Artifact, images: Sequence[PredictedImage], **of: Any
) -> None:
    """Writes the file of a ModelEvaluation, of what Trainer made."""
    models = Models(digest(model_sums.trained(model)), **of)
    predictions.write(images, evaluation.uri, models)
