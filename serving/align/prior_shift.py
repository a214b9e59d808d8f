"""Prevalence of a place, estimated from the scores of its unlabelled images.

**Assumption: label shift.** Only the share of PNEUMONIA differs between the images that the model
was calibrated on (the reference) and the place; what the images of each class look like does not.
Then a probability calibrated under the prior p is corrected for the prevalence q by the ratio of
the odds, that is, by adding ``logit(q) - logit(p)`` to its logit, and q is found by maximum
likelihood of the unlabelled scores: Saerens, Latinne and Decaestecker, "Adjusting the Outputs of a
Classifier to New a Priori Probabilities" (Neural Computation 14, 2002,
https://doi.org/10.1162/089976602753284446), by expectation maximisation. The likelihood is concave
in q, so that it has one maximum, which is the fixed point of their iteration; it is found here by
bisection of the derivative, which is as short and needs no stopping rule.

The estimate is consistent where probabilities are calibrated with an intercept: Alexandari, Kundaje
and Shrikumar, "Maximum Likelihood with Bias-Corrected Calibration is Hard-To-Beat at Label Shift
Adaptation" (2020, https://arxiv.org/abs/1901.06852); Garg et al., "A Unified View of Label Shift
Estimation" (2020, https://arxiv.org/abs/2003.07554). Platt's method is such a calibration of two
classes. The prior p is therefore not taken from the counts of a split, but is what the
probabilities themselves follow on the reference, by its labels: see `calibrated_prior`.

Each patient counts once, whose images share the weight: the prevalence is that of patients.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from serving.align.scores import Reference, Scores, weights_of
from serving.analysis.bootstrap import Bootstrap, interval

_STEPS: Final = 32
# Beyond it a float32 probability has lost its logit.
_MOST_LOGIT: Final = 16.0


def logit(probability: np.ndarray | float) -> np.ndarray:
    """Returns the logits of probabilities between 0 and 1, float64."""
    return np.log(probability) - np.log1p(-np.asarray(probability, np.float64))


def sigmoid(logits: np.ndarray | float) -> np.ndarray:
    """Returns the probabilities of logits, float64."""
    return 1 / (1 + np.exp(-np.asarray(logits, np.float64)))


def calibrated_prior(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Estimates the prevalence under which probabilities are calibrated.

    With the shift b of the logits that maximises the likelihood of the labels, they are calibrated
    for the prevalence of these; without it, for the one whose logit is smaller by b.

    Args:
        logits: [N].
        labels: [N] 0 or 1, of both classes.
        weights: [..., N], of any sum.

    Returns:
        [...] in (0, 1).
    """
    total = weights.sum(axis=-1)
    share = (weights * labels).sum(axis=-1) / total

    def excess(shift: np.ndarray) -> np.ndarray:
        return share - (weights * sigmoid(logits + shift[..., np.newaxis])).sum(axis=-1) / total

    shift = _root(
        excess, np.full_like(share, -2 * _MOST_LOGIT), np.full_like(share, 2 * _MOST_LOGIT)
    )
    return sigmoid(logit(share) - shift)


def prevalence(
    logits: np.ndarray, weights: np.ndarray, prior: np.ndarray, least: float
) -> np.ndarray:
    """Estimates the prevalence of a place by maximum likelihood.

    Args:
        logits: [N], calibrated under the prior.
        weights: [..., N].
        prior: [...] in (0, 1).
        least: the estimate is between this and 1 less this, so that it has a logit.

    Returns:
        [...] between 0 and 1.
    """
    kept = np.clip(logits, -_MOST_LOGIT, _MOST_LOGIT)
    # How many times more likely a score is of PNEUMONIA than of NORMAL.
    ratio = np.exp(kept - logit(prior)[..., np.newaxis])

    def derivative(share: np.ndarray) -> np.ndarray:
        of_score = (ratio - 1) / (1 + share[..., np.newaxis] * (ratio - 1))
        return (weights * of_score).sum(axis=-1)

    shape = np.shape(prior)
    return _root(derivative, np.full(shape, least), np.full(shape, 1 - least))


def estimate(
    reference: Reference, place: Scores, bootstrap: Bootstrap
) -> tuple[float, float, tuple[float, float]]:
    """Estimates prior and prevalence, with the prevalence's interval.

    The interval is by bootstrap over the patients of the place and of the reference, whose number
    bounds how well the prior is known.

    Returns:
        The prior, the prevalence, and the ends of its 95 % interval.
    """
    least = 0.5 / place.number_of_patients
    here, there = weights_of(place.patients), weights_of(reference.patients)
    prior = calibrated_prior(reference.logits, reference.labels, there)
    found = prevalence(place.logits, here, prior, least)
    replicates = []
    drawn_there = Bootstrap(bootstrap.replicates, bootstrap.seed + 1).weights(reference.patients)
    priors = np.concatenate(
        [
            calibrated_prior(reference.logits, reference.labels, drawn * there)
            for drawn in drawn_there
        ]
    )
    start = 0
    for drawn in bootstrap.weights(place.patients):
        some = priors[start : start + len(drawn)]
        replicates.append(prevalence(place.logits, drawn * here, some, least))
        start += len(drawn)
    low, high = interval(np.concatenate(replicates))
    return float(prior), float(found), (float(low), float(high))


def _root(
    falling: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Finds where functions that fall are 0; an end where they are not 0 between."""
    for _ in range(_STEPS):
        middle = (low + high) / 2
        is_above = falling(middle) > 0
        low, high = np.where(is_above, middle, low), np.where(is_above, high, middle)
    return (low + high) / 2
