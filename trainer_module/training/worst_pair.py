"""The lowest AUC between NORMAL as one place takes its images and PNEUMONIA as another does.

A model that relies on the framing, say, separates the classes within each view of the held-out
images, cropped or with margins, and still takes a cropped NORMAL for an uncropped PNEUMONIA. Where
a new place differs, it often differs in one class: other wards, machines or ages of children.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Shares:
    """The shares of a view's images whose probability is above each of T ascending thresholds.

    Attributes:
        normal: [T] float, of NORMAL; the first is 1, the last 0, as in ``pneumonia``.
        pneumonia: [T] float, of PNEUMONIA.
    """

    normal: np.ndarray
    pneumonia: np.ndarray


def worst_pair(views: Sequence[Shares]) -> float:
    """Returns the lowest area under the ROC curve over all pairs of views.

    Args:
        views: at least one; of a pair one gives NORMAL, the other PNEUMONIA, also the same one.

    Returns:
        In [0, 1]; NaN where a view lacks a class.
    """
    return float(np.min([_auc(one.normal, other.pneumonia) for one in views for other in views]))


def _auc(false_alarms: np.ndarray, found: np.ndarray) -> float:
    return float(-np.trapezoid(found, false_alarms))
