"""Calibration, threshold and triage, fitted on images that no network was trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from trainer_module.decision import calibration, operating_point, out_of_fold, triage
from trainer_module.decision.calibration import Calibration
from trainer_module.decision.out_of_fold import Predictions
from trainer_module.decision.triage import Triage
from trainer_module.settings.trainer import TrainerSettings
from trainer_module.training_error import TrainingError


@dataclass(frozen=True)
class Decision:
    """How a probability becomes a label.

    Attributes:
        calibration: of the model's probabilities.
        threshold: PNEUMONIA from this calibrated probability on.
        triage: by calibrated probabilities.
        probabilities: [N] float32, calibrated, that threshold and triage were chosen on.
        scored: the held-out images, with the probabilities that the calibration was fitted on.
        sensitivity: at the threshold on these images; None where none has PNEUMONIA.
        specificity: likewise; None where none is NORMAL.
        warnings: why the model should not be trusted, a sentence each.
    """

    calibration: Calibration
    threshold: float
    triage: Triage
    probabilities: np.ndarray
    scored: Predictions
    sensitivity: float | None
    specificity: float | None
    warnings: tuple[str, ...]


def decide(member_predictions: Sequence[Predictions], settings: TrainerSettings) -> Decision:
    """Fits the calibration, and then chooses threshold and triage by calibrated probabilities.

    An ensemble's are fitted on each image's out-of-fold probability, that of the member which did
    not train on it: the calibration after these are drawn together as the average is
    (`out_of_fold`), the operating point and the triage with the wider spread of single members, by
    which the average finds at least the target.

    Args:
        member_predictions: of the model, or of each member.
        settings: the method of the calibration, the target of the threshold, and the errors that
            the triage may make.

    Raises:
        TrainingError: a probability is not a finite number.
    """
    labels = np.concatenate([each.labels for each in member_predictions])
    patients = np.concatenate([each.patients for each in member_predictions])
    if not all(np.isfinite(each.probabilities).all() for each in member_predictions):
        raise TrainingError(
            "the trained model's probabilities on images that it was not trained on are not finite"
            " numbers. Lower trainer.learning_rate, or limit the gradients by trainer.clip_norm=1."
        )
    if len(member_predictions) == 1:
        raw = spread = member_predictions[0].probabilities
    else:
        raw = out_of_fold.as_average(member_predictions, out_of_fold.agreement(member_predictions))
        spread = out_of_fold.as_average(member_predictions, 1.0)
    fitted = calibration.fit(raw, labels, settings.calibration)
    probabilities = fitted(tf.constant(spread)).numpy()
    threshold = operating_point.choose(probabilities, labels, settings.operating_point)
    is_predicted = probabilities >= np.float32(threshold)
    return Decision(
        fitted,
        threshold,
        triage.fit(probabilities, labels, patients, settings.triage),
        probabilities,
        Predictions(raw, labels, patients, raw),
        _share(is_predicted, labels == 1),
        _share(~is_predicted, labels == 0),
        tuple(_warnings(raw, labels)),
    )


def _warnings(probabilities: np.ndarray, labels: np.ndarray) -> list[str]:
    positive, negative = probabilities[labels == 1], np.sort(probabilities[labels == 0])
    if not len(positive) or not len(negative):
        return [
            f"the {len(labels)} images that the model was not trained on are all of one class: it"
            " is not calibrated, and its threshold is trainer.operating_point.threshold"
        ]
    ranks = [np.searchsorted(negative, positive, side) for side in ("left", "right")]
    auc = float(np.mean(ranks) / len(negative))
    if auc >= 0.5:
        return []
    return [
        f"the model is worse than chance: its AUC on the {len(labels)} images that it did not learn"
        f" from is {auc:.4f}; train for more epochs, or look at the labels"
    ]


def _share(predicted: np.ndarray, of: np.ndarray) -> float | None:
    return float(predicted[of].mean()) if of.any() else None
