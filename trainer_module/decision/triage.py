"""Triage: NORMAL or PNEUMONIA where the allowed error rates permit one of them, else REVIEW.

Split conformal prediction, for each class by itself (Vovk, "Conditional Validity of Inductive
Conformal Predictors", 2013) and by patient (Lee, Barber and Willett, "Distribution-Free Inference
with Hierarchical Data", 2023, https://arxiv.org/abs/2306.06342). A label is left out of an image's
set where the image would be among the least typical ones of that label, of which the allowed error
rate is the share. The label of a set of one is the triage; a set of both or of none is REVIEW.

So an image of a new patient with PNEUMONIA is called NORMAL with a probability of at most
``missed_pneumonia``, and one of a patient without it PNEUMONIA with at most ``false_alarms``,
whatever the network and however alike the images of one patient are: each patient counts once.
(Simulated, 200 patients of whom the untypical ones have fewer images, 2 % allowed: 1.9 % of errors,
and 6.4 % where each image counts once.) It holds for patients like those of the split `eval`, on
average over such splits. It is not proven for another hospital's patients. Nor does it count that
`eval` chose the epoch, or that an ensemble's average is taken for one of its members; figures on
`test` show whether the rates hold. The calibration, fitted on the same images, changes nothing: it
keeps the order of the images.

A model better than the rates leaves probabilities that are typical of neither label. To decide them
by a threshold would keep the rates, too, but images of elsewhere fall there first. Measured on a
demo's 143 test images and the 7 shifts of them (`transform_module.images.shifts`): with REVIEW
there 60 % are decided, 0.4 % of these wrong; with a threshold there 69 %, and 3.9 % wrong.
"""

import math
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from trainer_module.settings.trainer import TriageSettings
from transform_module.contract import LABELS, REVIEW

# Sums of shares such as 1/20 are not exact in binary.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Triage:
    """Which calibrated probabilities of PNEUMONIA are typical of each label.

    Attributes:
        normal_up_to: the highest one that is typical of NORMAL; 1 where all are.
        pneumonia_from: the lowest one that is typical of PNEUMONIA; 0 where all are.
        notes: why one of the labels is never given, a sentence each.
    """

    normal_up_to: float
    pneumonia_from: float
    notes: tuple[str, ...] = ()

    def __call__(self, probability: tf.Tensor, in_domain: tf.Tensor) -> tf.Tensor:
        """Sorts images; runs in graphs too.

        Args:
            probability: [N] float32, calibrated; one that is not a number is for review.
            in_domain: [N] bool; false is for review.

        Returns:
            [N] string: NORMAL, PNEUMONIA or REVIEW.
        """
        normal = probability <= self.normal_up_to
        pneumonia = probability >= self.pneumonia_from
        label = tf.gather(list(LABELS), tf.cast(pneumonia, tf.int32))
        return tf.where(in_domain & (normal != pneumonia), label, REVIEW)


def fit(
    probabilities: np.ndarray, labels: np.ndarray, patients: np.ndarray, settings: TriageSettings
) -> Triage:
    """Fits the triage on images that no network was trained on.

    Args:
        probabilities: [N] float32, calibrated.
        labels: [N] 0 or 1.
        patients: [N] ids.
        settings: the allowed error rates.
    """
    normal, pneumonia = labels == 0, labels == 1
    highest = bound(probabilities[normal], patients[normal], settings.false_alarms)
    # The less typical of PNEUMONIA, the lower.
    lowest = -bound(-probabilities[pneumonia], patients[pneumonia], settings.missed_pneumonia)
    # An infinite bound is beyond every probability.
    return Triage(min(highest, 1.0), max(lowest, 0.0), tuple(_notes(labels, patients, settings)))


def bound(scores: np.ndarray, patients: np.ndarray, error_rate: float) -> float:
    """Returns the score that an image of a new patient exceeds with at most this probability.

    It is the quantile of level ``1 - error_rate`` of a distribution in which each of K patients
    has the weight 1 / (K + 1), shared by their images, and infinity has the rest: that of the new
    patient.

    Args:
        scores: [N], of one class; higher is less typical of it.
        patients: [N] ids.
        error_rate: between 0 and 1.

    Returns:
        One of the scores; infinity where there are fewer patients than `least_patients`.
    """
    _, index, images = np.unique(patients, return_inverse=True, return_counts=True)
    weights = 1 / ((len(images) + 1) * images[index])
    order = np.argsort(scores, kind="stable")
    enough = np.cumsum(weights[order]) >= 1 - error_rate - _ROUNDING
    return float(scores[order][np.argmax(enough)]) if enough.any() else math.inf


def least_patients(error_rate: float) -> int:
    """Returns how many patients of a class an error rate takes."""
    return math.ceil(1 / error_rate - 1 - _ROUNDING)


def _notes(labels: np.ndarray, patients: np.ndarray, settings: TriageSettings) -> list[str]:
    rates = (settings.false_alarms, settings.missed_pneumonia)
    found = [len(np.unique(patients[labels == label])) for label in range(len(LABELS))]
    fields = ("false_alarms", "missed_pneumonia")
    return [
        f"triage never says {LABELS[1 - label]}: an error rate of {rate:g} takes"
        f" {least_patients(rate)} patients with {LABELS[label]} that the model was not trained on,"
        f" and there are {count}; give more images, or raise trainer.triage.{field}"
        for label, (rate, count, field) in enumerate(zip(rates, found, fields, strict=True))
        if count < least_patients(rate)
    ]
