"""The figures of a group of images, and of two models on the same images, with intervals."""

import math

import numpy as np

from serving.analysis.bootstrap import Bootstrap, interval
from serving.analysis.figures import SHARES, figures
from serving.analysis.findings import Estimate, Group
from serving.analysis.predicted import Predicted
from serving.analysis.wilson import wilson


def describe(name: str, predicted: Predicted, threshold: float, bootstrap: Bootstrap) -> Group:
    """Computes the figures of a group.

    Args:
        name: the group's.
        predicted: its images, valid ones only; at least one.
        threshold: PNEUMONIA from this probability on.
        bootstrap: draws the replicates.
    """
    values, replicates = _replicated(predicted, predicted.probability, threshold, bootstrap)
    estimates = {key: estimate(values[key], replicates[key]) for key in values}
    concerned = {"sensitivity": predicted.label, "specificity": ~predicted.label}
    for key in SHARES:
        patient = predicted.patient[concerned.get(key, slice(None))]
        estimates[key] = share(values[key], replicates[key], patient)
    return Group(
        name, len(predicted), predicted.patients(), int(predicted.label.sum()), **estimates
    )


def differences(
    predicted: Predicted,
    other_probability: np.ndarray,
    thresholds: tuple[float, float],
    bootstrap: Bootstrap,
) -> dict[str, Estimate]:
    """Compares two models on the same images, of which both see the same replicates.

    Args:
        predicted: the images, as the one model predicts them, valid ones only; at least one.
        other_probability: [N], what the other model says of them.
        thresholds: of the one and the other.
        bootstrap: draws the replicates.

    Returns:
        The one's figures less the other's, by name.
    """
    own, other = (
        _replicated(predicted, probability, threshold, bootstrap)
        for probability, threshold in zip(
            (predicted.probability, other_probability), thresholds, strict=True
        )
    )
    return {
        name: estimate(own[0][name] - other[0][name], own[1][name] - other[1][name])
        for name in own[0]
    }


def estimate(value: float, replicates: np.ndarray) -> Estimate:
    """A figure with the interval of its replicates, none where they are all the same.

    Args:
        value: the figure; not a number where it is undefined.
        replicates: [R], the figure of each replicate.
    """
    if math.isnan(value):
        return Estimate()
    low, high = (float(end) for end in interval(replicates))
    return Estimate(float(value), low, high) if high > low else Estimate(float(value))


def share(value: float, replicates: np.ndarray, patient: np.ndarray) -> Estimate:
    """A share of images with an interval by patient.

    Where every replicate gives the same (a share of 1, say), the bootstrap knows no interval, and
    Wilson's of as many trials as there are patients takes its place.

    Args:
        value: the share; not a number where there is no image.
        replicates: [R], the share in each replicate of the bootstrap over patients.
        patient: [N], of the images that it is a share of.
    """
    found = estimate(value, replicates)
    if found.value is None or found.low is not None:
        return found
    patients = len(np.unique(patient))
    return wilson(found.value * patients, patients)


def share_of(
    chosen: np.ndarray, of: np.ndarray, patient: np.ndarray, bootstrap: Bootstrap
) -> Estimate:
    """The share of images, with an interval by bootstrap over patients.

    Args:
        chosen: [N] bool, or which share of it is chosen.
        of: [N] bool, what it is a share of.
        patient: [N], whose image each is.
        bootstrap: draws the replicates.
    """
    if not of.any():
        return Estimate()
    # Patients without such an image add nothing, and are not drawn.
    chosen, patient = chosen[of], patient[of]
    replicates = [weights @ chosen / weights.sum(axis=1) for weights in bootstrap.weights(patient)]
    return share(float(chosen.mean()), np.concatenate(replicates), patient)


def share_of_patients(
    chosen: np.ndarray, of: np.ndarray, patient: np.ndarray, bootstrap: Bootstrap
) -> Estimate:
    """The mean over patients of the share of their images; otherwise as `share_of`."""
    patients, index = np.unique(patient[of], return_inverse=True)
    shares = np.bincount(index, chosen[of]) / np.bincount(index)
    return share_of(shares, np.ones(len(patients), bool), patients, bootstrap)


def _replicated(
    predicted: Predicted, probability: np.ndarray, threshold: float, bootstrap: Bootstrap
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """The figures, and those of each replicate."""
    once = figures(predicted.label, probability, threshold, np.ones((1, len(predicted))))
    drawn = [
        figures(predicted.label, probability, threshold, weights)
        for weights in bootstrap.weights(predicted.patient)
    ]
    return (
        {name: float(value[0]) for name, value in once.items()},
        {name: np.concatenate([each[name] for each in drawn]) for name in once},
    )
