"""Decision threshold: the probability from which on PNEUMONIA is predicted."""

import numpy as np

from trainer_module.settings.trainer import OperatingPointSettings


def choose(
    probabilities: np.ndarray, labels: np.ndarray, settings: OperatingPointSettings
) -> float:
    """Chooses the operating threshold on images that were not trained on.

    Args:
        probabilities: [N] float32, of pneumonia.
        labels: [N] 0 or 1.
        settings: what is aimed at. ``sensitivity``: the highest threshold that finds this share of
            PNEUMONIA. ``youden``: the one with the greatest sum of sensitivity and specificity
            (Youden, "Index for rating diagnostic tests", 1950). ``cost``: the one whose errors cost
            least, be it by predicting one label of all. ``fixed``: no choice.

    Returns:
        A threshold in [0, 1], a float32 in the middle between two probabilities where there is one;
        the fixed one where a class is missing. One that predicts no PNEUMONIA is in the middle
        between the highest probability and 1.
    """
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if settings.target == "fixed" or not positives or not negatives:
        return settings.threshold
    order = np.argsort(-probabilities, kind="stable")
    descending, positive = probabilities[order].astype(np.float64), labels[order] == 1
    # Equal probabilities get the same label: a threshold lies after the last of them.
    last = np.append(descending[1:] != descending[:-1], True)
    found, alarms = np.cumsum(positive)[last], np.cumsum(~positive)[last]
    if settings.target == "sensitivity":
        # A share such as 0.95 of 20 is not exactly 19 in binary.
        index = int(np.argmax(found >= settings.sensitivity * positives - 1e-9))
    elif settings.target == "youden":
        index = int(np.argmax(found / positives - alarms / negatives))
    else:
        costs = settings.cost_of_missing * (positives - found) + alarms
        index = int(np.argmin(costs))
        # A probability of 1 is PNEUMONIA at every threshold.
        if settings.cost_of_missing * positives < costs[index] and descending[0] < 1:
            return _between(1.0, descending[0])
    levels = np.append(descending[last], 0.0)
    return _between(levels[index], levels[index + 1])


def _between(taken: float, left: float) -> float:
    """Returns a float32 at most the probability that is taken, above the one that is left."""
    middle = np.float32((taken + left) / 2)
    return float(middle if middle > left else taken)
