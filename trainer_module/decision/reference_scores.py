"""Scores of the held-out images by their labels, stored with a model.

By them another place's images, whose labels are not known, are compared with the two classes, see
`serving.align`.
"""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf

from trainer_module.decision.calibration import Calibration, logits_of
from trainer_module.decision.domain import Domain
from trainer_module.decision.out_of_fold import Predictions
from trainer_module.input import batches
from transform_module import contract

_DIGITS = 4
_BATCH = 32


def write(
    directory: Path,
    scored: Predictions,
    plain: np.ndarray,
    calibration: Calibration,
    evaluation: batches.Images,
    domain: Domain,
) -> None:
    """Writes ``assets.extra/reference_scores.json``, see `contract.REFERENCE_SCORES`.

    Args:
        directory: of the exported model.
        scored: images that no network was trained on, with the probabilities of what is served,
            before calibration.
        plain: [N] bool, which of them are as they were taken, and not shifted.
        calibration: of these probabilities.
        evaluation: the split `eval`, by which the threshold of the domain was chosen.
        domain: of the training images.
    """
    calibrated = calibration(tf.constant(scored.probabilities[plain], tf.float32)).numpy()
    logits, labels = np.round(logits_of(calibrated), _DIGITS), scored.labels[plain]
    # A number each: whose images they are is nobody's business.
    _, patients = np.unique(scored.patients[plain], return_inverse=True)
    flagged = _distances(evaluation, domain) > domain.threshold
    contents = {}
    for label, name in enumerate(contract.LABELS):
        of_class, evaluated = labels == label, evaluation.labels == label
        _, whose, images = np.unique(
            evaluation.patients[evaluated], return_inverse=True, return_counts=True
        )
        contents[name] = {
            "logits": logits[of_class].tolist(),
            "patients": patients[of_class].tolist(),
            "out_of_domain": float((flagged[evaluated] / images[whose]).sum()),
            "domain_patients": len(images),
        }
    path = directory / contract.REFERENCE_SCORES
    path.write_text(json.dumps(contents, allow_nan=False) + "\n", encoding="utf-8")


def _distances(images: batches.Images, domain: Domain) -> np.ndarray:
    distance = tf.function(domain.distance)
    found = [
        distance(pixels).numpy()[weight.numpy() > 0]
        for pixels, _, weight in batches.evaluation_batches(images, batch_size=_BATCH)
    ]
    return np.concatenate(found)
