"""Probabilities that are as often right as they say."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import tensorflow as tf

# A float32 probability nearer to 0 or 1 than this has lost its logit.
LEAST: Final = 1e-7
_STEPS = 50


@dataclass(frozen=True)
class Calibration:
    """A calibrated probability is ``sigmoid(slope * logit(probability) + shift)``.

    Attributes:
        slope: above 0, so that no two images change their order; below 1 it takes back
            overconfidence (its inverse is the temperature).
        shift: what class weights, or another share of PNEUMONIA, have moved the logit by.
    """

    slope: float = 1.0
    shift: float = 0.0

    def __call__(self, probability: tf.Tensor) -> tf.Tensor:
        """Calibrates probabilities of any shape, float32; runs in graphs too."""
        return tf.sigmoid(self.logit(probability))

    def logit(self, probability: tf.Tensor) -> tf.Tensor:
        """Returns the logits of the calibrated probabilities; otherwise as calling it."""
        kept = tf.clip_by_value(probability, LEAST, 1 - LEAST)
        return self.slope * (tf.math.log(kept) - tf.math.log1p(-kept)) + self.shift


def fit(
    probabilities: np.ndarray, labels: np.ndarray, method: Literal["none", "temperature", "platt"]
) -> Calibration:
    """Fits a calibration by maximum likelihood.

    ``platt`` fits slope and shift, ``temperature`` the slope alone. Sources: Platt, "Probabilistic
    Outputs for Support Vector Machines" (1999), with its targets, by which a perfect separation
    does not end in an infinite slope; Guo et al., "On Calibration of Modern Neural Networks"
    (2017).

    Args:
        probabilities: [N] of pneumonia, of images that were not trained on.
        labels: [N] 0 or 1.
        method: what is fitted.

    Returns:
        The calibration; one that changes nothing where a class is missing, or where higher
        probabilities do not go with more pneumonia.
    """
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if method == "none" or not positives or not negatives:
        return Calibration()
    logits = logits_of(probabilities)
    targets = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    columns = [logits, np.ones_like(logits)] if method == "platt" else [logits]
    slope, *shift = _logistic_regression(np.stack(columns, axis=1), targets)
    if slope <= 0:
        return Calibration()
    return Calibration(float(slope), float(shift[0]) if shift else 0.0)


def logits_of(probabilities: np.ndarray) -> np.ndarray:
    """Turns probabilities of any shape into logits, float64."""
    kept = np.clip(probabilities.astype(np.float64), LEAST, 1 - LEAST)
    return np.log(kept) - np.log1p(-kept)


def _logistic_regression(features: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Newton's method from (1, 0), each step halved until it betters the likelihood."""
    weights = np.zeros(features.shape[1])
    weights[0] = 1.0
    loss = _cross_entropy(features @ weights, targets)
    for _ in range(_STEPS):
        predicted = 1 / (1 + np.exp(-(features @ weights)))
        gradient = features.T @ (predicted - targets)
        curvature = (features * (predicted * (1 - predicted))[:, None]).T @ features
        step = np.linalg.solve(curvature + 1e-9 * np.eye(len(weights)), gradient)
        while (bettered := _cross_entropy(features @ (weights - step), targets)) > loss:
            step /= 2
            if np.abs(step).max() < 1e-12:
                return weights
        weights, gained, loss = weights - step, loss - bettered, bettered
        if gained < 1e-12 * len(targets):
            break
    return weights


def _cross_entropy(logits: np.ndarray, targets: np.ndarray) -> float:
    return float((np.logaddexp(0, logits) - targets * logits).sum())
