"""The figures of a binary classifier on weighted images, for many sets of weights at once.

A set of weights is a replicate of the bootstrap: how often each image was drawn. Ones give the
figures themselves.
"""

from typing import Final

import numpy as np

SHARES: Final = ("accuracy", "sensitivity", "specificity")
"""The figures that are shares of images."""

BINS: Final = 10
"""Bins of equal width of the calibration error and the reliability."""


def figures(
    label: np.ndarray, probability: np.ndarray, threshold: float, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """Computes every figure of `findings.Group`.

    Args:
        label: [N] bool, whether it is PNEUMONIA.
        probability: [N] in [0, 1].
        threshold: PNEUMONIA from this probability on.
        weights: [R, N], none negative.

    Returns:
        [R] by the figure's name; not a number where the weights leave it undefined.
    """
    found, alarms = found_and_alarms(label, probability, weights)
    right = predicted_positive(probability, threshold) == label
    total = weights.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "auc": auc(found, alarms),
            "pr_auc": average_precision(found, alarms),
            "accuracy": weights @ right / total,
            "sensitivity": weights @ (right & label) / (weights @ label),
            "specificity": weights @ (right & ~label) / (weights @ ~label),
            "ece": _calibration_error(label, probability, weights) / total,
            "brier": weights @ (probability - label) ** 2 / total,
        }


def predicted_positive(probability: np.ndarray, threshold: float) -> np.ndarray:
    """Returns which images a model calls PNEUMONIA; it compares in float32."""
    return probability.astype(np.float32) >= np.float32(threshold)


def found_and_alarms(
    label: np.ndarray, probability: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Counts true and false positives at every threshold, the highest first.

    Args:
        label: see `figures`.
        probability: see `figures`; at least one.
        weights: see `figures`.

    Returns:
        Both [R, 1 + K], where K is the number of distinct probabilities: nothing above all of them,
        then what is predicted PNEUMONIA from each of them on.
    """
    order = np.argsort(-probability, kind="stable")
    starts = np.flatnonzero(np.diff(probability[order], prepend=np.nan) != 0)

    def cumulated(counts: np.ndarray) -> np.ndarray:
        steps = counts if len(starts) == len(order) else np.add.reduceat(counts, starts, axis=1)
        sums = np.zeros((len(counts), 1 + len(starts)))
        np.cumsum(steps, axis=1, out=sums[:, 1:])
        return sums

    sorted_weights = weights[:, order]
    found = cumulated(sorted_weights * label[order])
    return found, cumulated(sorted_weights) - found


def auc(found: np.ndarray, alarms: np.ndarray) -> np.ndarray:
    """Area under the ROC curve, exactly: a tie between the classes counts a half.

    Args:
        found: [R, 1 + K], true positives by `found_and_alarms`.
        alarms: [R, 1 + K], false positives.

    Returns:
        [R], not a number where a class is absent.
    """
    heights = (found[:, 1:] + found[:, :-1]) / 2
    with np.errstate(invalid="ignore"):
        area = np.einsum("rk,rk->r", np.diff(alarms), heights)
        return area / (found[:, -1] * alarms[:, -1])


def auc_of(label: np.ndarray, values: np.ndarray) -> float | None:
    """Computes `auc` of values, each image once; None where a class is absent.

    Args:
        label: [N] bool, at least one.
        values: [N], the higher the more PNEUMONIA.
    """
    (area,) = auc(*found_and_alarms(label, values, np.ones((1, len(label)))))
    return None if np.isnan(area) else float(area)


def average_precision(found: np.ndarray, alarms: np.ndarray) -> np.ndarray:
    """Precision, averaged over the recall that each threshold adds; nothing is interpolated.

    Args:
        found: see `auc`.
        alarms: see `auc`.

    Returns:
        [R], not a number where a class is absent.
    """
    flagged = found + alarms
    precision = found / np.where(flagged, flagged, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        area = np.einsum("rk,rk->r", np.diff(found), precision[:, 1:]) / found[:, -1]
    return np.where(alarms[:, -1] > 0, area, np.nan)


def bin_of(probability: np.ndarray) -> np.ndarray:
    """Numbers the bin of each probability, from 0; the last one holds 1, too."""
    return np.minimum((probability * BINS).astype(int), BINS - 1)


def _calibration_error(
    label: np.ndarray, probability: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Expected calibration error (Guo et al. 2017, https://arxiv.org/abs/1706.04599), unscaled."""
    in_bin = np.eye(BINS)[bin_of(probability)]
    return np.abs(weights @ (in_bin * (probability - label)[:, np.newaxis])).sum(axis=1)
