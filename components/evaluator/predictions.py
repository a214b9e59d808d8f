"""The Evaluator's predictions on the split ``test``: one file, its writer and its reader.

ServingCheck and Report compute from it, so that the split is predicted once in a run. Its first
line says of which model it is and sums up the rest: one line an image, as JSON.
"""

import dataclasses
import hashlib
import json
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import tensorflow as tf
from tfx import types

from components.artifacts import example_counts, model_sums
from components.convert.records import shard_key
from serving.analysis.predicted import PredictedImage
from transform_module.contract import TEST
from transform_module.errors import UserError
from transform_module.files.sums import digest

PREDICTIONS: Final = "predictions.jsonl"
"""The file within a ModelEvaluation artifact."""


@dataclass(frozen=True)
class Models:
    """The models that predicted.

    Attributes:
        digest: of the evaluated model's files.
        baseline_version: the pushed version that it was compared with; empty without one.
        baseline_threshold: the operating threshold of that version.
    """

    digest: str
    baseline_version: str = ""
    baseline_threshold: float = 0.0


@dataclass(frozen=True)
class Predictions:
    """The content of the file.

    Attributes:
        models: the models that predicted.
        images: in the order of the hash of their names, in which classes are mixed.
    """

    models: Models
    images: list[PredictedImage]


def write(images: Iterable[PredictedImage], folder: str, models: Models) -> None:
    """Writes the file, the same bytes for the same predictions in whatever order.

    Args:
        images: all of the split ``test``.
        folder: of a ModelEvaluation artifact, local or not.
        models: the models that predicted.
    """
    ordered = sorted(images, key=lambda image: (shard_key(image.path), image.path))
    lines = [f"{json.dumps(dataclasses.asdict(image))}\n" for image in ordered]
    header = {**dataclasses.asdict(models), "images": len(lines), "sha256": _sha256(lines)}
    # A cluster's launcher makes no folders; object storage needs none.
    tf.io.gfile.makedirs(folder)
    with tf.io.gfile.GFile(os.path.join(folder, PREDICTIONS), "w") as file:
        file.write("".join([f"{json.dumps(header)}\n", *lines]))


def read(
    evaluation: types.Artifact, model: types.Artifact, examples: types.Artifact
) -> Predictions:
    """Reads the file, and checks that it is whole and of this model and these examples.

    Args:
        evaluation: what Evaluator made.
        model: what Trainer made.
        examples: what ImportExampleGen made.

    Raises:
        UserError: the file is missing or damaged, is of another model, or has more or fewer images
            than the split; or a probability is not a number.
    """
    path = os.path.join(evaluation.uri, PREDICTIONS)
    remedy = f"Remove {evaluation.uri} and run again: the model is then evaluated anew."
    try:
        with tf.io.gfile.GFile(path) as file:
            first, *lines = file.read().splitlines(keepends=True)
        header: dict[str, Any] = json.loads(first)
        images, sha256 = header.pop("images"), header.pop("sha256")
        if sha256 != _sha256(lines):
            raise ValueError("its SHA-256 is not the recorded one")
        found = Predictions(
            Models(**header), [PredictedImage(**json.loads(line)) for line in lines]
        )
    except (tf.errors.NotFoundError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path} is missing or damaged ({error}), so that the model's predictions are not "
            f"known. {remedy}"
        ) from error
    expected = example_counts.recorded(examples, TEST)
    if not images == len(lines) == expected:
        raise UserError(
            f"{path} has predictions of {len(lines):,} images, the split {TEST} has {expected:,}. "
            f"Nothing is computed from part or double of the data. {remedy}"
        )
    trained = digest(model_sums.trained(model))
    if found.models.digest != trained:
        raise UserError(
            f"{path} has the predictions of another model (its digest is "
            f"{found.models.digest[:12]}, that of {model.uri} is {trained[:12]}). {remedy}"
        )
    if not all(math.isfinite(image.probability) for image in found.images):
        raise UserError(
            f"The model in {model.uri} returned nan, not a probability: its weights are damaged. "
            "Train it anew, at a lower learning rate if that repeats."
        )
    return found


def _sha256(lines: Iterable[str]) -> str:
    return hashlib.sha256("".join(lines).encode()).hexdigest()
