"""Predicted images made for tests."""

import numpy as np
from scipy.stats import norm

from serving.analysis.predicted import Predicted


def predicted(label, probability, **columns):
    """Images of a patient each, of which all else is alike."""
    label = np.asarray(label, bool)
    count = len(label)
    same = {
        "path": np.array([f"{row:04d}.png" for row in range(count)]),
        "patient": np.array([f"p{row}" for row in range(count)]),
        "label": label,
        "subtype": np.where(label, "virus", "normal"),
        "probability": np.asarray(probability, np.float64),
        "valid": np.ones(count, bool),
        "in_domain": None,
        "triage": None,
        "width": np.full(count, 300),
        "height": np.full(count, 200),
        "mode": np.full(count, "L"),
        "bytes": np.full(count, 1000),
        "sha256": np.array([f"{row:064x}" for row in range(count)], str),
        **{name: np.full(count, 5.0) for name in ("brightness", "contrast", "sharpness", "border")},
    }
    others = columns.pop("others", {})
    given = {name: np.asarray(value) for name, value in columns.items()}
    return Predicted(**same | given, others=others)


def clustered(generator, patients, images=3, distance=1.5):
    """Patients of one class each, whose images are alike.

    Returns:
        Images, and the AUC that the scores are drawn from.
    """
    patient = np.repeat(np.arange(patients), images)
    label = patient % 2 == 1
    own = generator.normal(size=patients)[patient]
    score = distance * label + own + 0.5 * generator.normal(size=len(patient))
    auc = norm.cdf(distance / np.sqrt(2 * (1 + 0.25)))
    return predicted(label, 1 / (1 + np.exp(-score)), patient=patient.astype(str)), float(auc)
