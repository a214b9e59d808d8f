"""Distributions of a model's training data, stored with it.

Whoever evaluates the model later sees by them how far other images are from these.
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from trainer_module.input.batches import Images
from transform_module import contract
from transform_module.images.distribution import summarise
from transform_module.images.measures import MEASURES, measure


def write(directory: Path, train: Images, probabilities: np.ndarray) -> None:
    """Writes ``assets.extra/training_statistics.json``.

    Args:
        directory: of the exported model.
        train: the training split, whose pixels are measured.
        probabilities: [N] of pneumonia, calibrated, of images that were not trained on.
    """
    measured = [measure(pixels.numpy()[..., 0]) for pixels in train.pixels]
    columns = {name: np.array([each[name] for each in measured]) for name in MEASURES}
    columns[contract.PROBABILITY] = probabilities.astype(np.float64)
    contents = {name: asdict(summarise(values)) for name, values in columns.items()}
    path = directory / contract.TRAINING_STATISTICS
    path.write_text(json.dumps(contents, indent=2, allow_nan=False) + "\n", encoding="utf-8")
