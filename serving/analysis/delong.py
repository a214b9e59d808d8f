"""DeLong's interval of an AUC, and the test that two AUCs of the same images are equal.

The structural components of DeLong, DeLong and Clarke-Pearson 1988 (https://doi.org/10.2307/2531595)
by the ranks of Sun and Xu 2014 (https://doi.org/10.1109/LSP.2014.2337313), summed by patient as
Obuchowski 1997 (https://doi.org/10.2307/2533958) does, because images of one patient are alike.
With one image a patient it is DeLong's own variance.
"""

import math

import numpy as np
from scipy.stats import norm, rankdata

from serving.analysis.findings import Estimate
from serving.analysis.wilson import NORMAL_QUANTILE


def auc(label: np.ndarray, probability: np.ndarray, patient: np.ndarray) -> Estimate:
    """Estimates an AUC; its interval is symmetric on the logit's scale, and so within 0 and 1.

    Args:
        label: [N] bool, both classes.
        probability: [N].
        patient: [N], whose image each is.

    Returns:
        The AUC; without interval where it is 0 or 1 or its variance unknown.
    """
    (value,), ((variance,),) = covariance(label, probability[np.newaxis], patient)
    if not variance > 0 or value in (0.0, 1.0):
        return Estimate(float(value))
    half = NORMAL_QUANTILE * math.sqrt(variance) / (value * (1 - value))
    logit = math.log(value / (1 - value))
    low, high = (1 / (1 + math.exp(-end)) for end in (logit - half, logit + half))
    return Estimate(float(value), low, high)


def compare(
    label: np.ndarray, one: np.ndarray, other: np.ndarray, patient: np.ndarray
) -> tuple[Estimate, float | None]:
    """Compares two AUCs of the same images.

    Args:
        label: [N] bool, both classes.
        one: [N], probabilities of the one model.
        other: [N], probabilities of the other.
        patient: [N], whose image each is.

    Returns:
        The one's AUC less the other's with its interval, and the two-sided p-value of no
        difference; without both where the variance is unknown or 0.
    """
    aucs, covariances = covariance(label, np.stack([one, other]), patient)
    difference = float(aucs[0] - aucs[1])
    variance = covariances[0, 0] + covariances[1, 1] - 2 * covariances[0, 1]
    # What is left of equal terms is rounding.
    if not variance > 1e-15:
        return Estimate(difference), None
    error = math.sqrt(variance)
    half = NORMAL_QUANTILE * error
    interval = Estimate(difference, difference - half, difference + half)
    return interval, float(2 * norm.sf(abs(difference) / error))


def covariance(
    label: np.ndarray, scores: np.ndarray, patient: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Computes AUCs and their covariance.

    Args:
        label: [N] bool, both classes.
        scores: [K, N], of K models.
        patient: [N], whose image each is.

    Returns:
        [K] AUCs, and [K, K]; not a number where a class is one of a single patient.
    """
    positives, negatives = int(label.sum()), int((~label).sum())
    ranks = rankdata(scores, axis=1)
    of_positives = (ranks[:, label] - rankdata(scores[:, label], axis=1)) / negatives
    of_negatives = 1 - (ranks[:, ~label] - rankdata(scores[:, ~label], axis=1)) / positives
    aucs = of_positives.mean(axis=1)

    names, index = np.unique(patient, return_inverse=True)

    def by_patient(components: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, int]:
        """Sums the distances from the AUC of each patient, and counts those concerned."""
        sums = np.zeros((len(aucs), len(names)))
        for model, distances in enumerate(components - aucs[:, np.newaxis]):
            np.add.at(sums[model], index[rows], distances)
        return sums, len(np.unique(index[rows]))

    ill, patients_ill = by_patient(of_positives, label)
    well, patients_well = by_patient(of_negatives, ~label)
    if min(patients_ill, patients_well) < 2:
        return aucs, np.full((len(aucs), len(aucs)), np.nan)
    total = len(names)
    both = total / (total - 1) * (ill @ well.T) / (positives * negatives)
    return aucs, (
        patients_ill / (patients_ill - 1) * (ill @ ill.T) / positives**2
        + patients_well / (patients_well - 1) * (well @ well.T) / negatives**2
        + both
        + both.T
    )
