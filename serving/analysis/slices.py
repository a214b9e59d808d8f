"""Groups of images that may be evaluated better or worse than others."""

from typing import Final

import numpy as np

from serving.analysis.predicted import Predicted

SUBTYPE: Final = "subtype"
SUBTYPE_AGAINST_NORMAL: Final = "subtype against NORMAL"
SHORTER_SIDE: Final = "shorter side"
MODE: Final = "mode"
IMAGES_OF_PATIENT: Final = "images of the patient"

_SIDES = ((250, "below 250 px"), (500, "250-499 px"), (1000, "500-999 px"), (1500, "1000-1499 px"))
_LARGER = "from 1500 px"
_IMAGES = ((2, "1 image"), (4, "2-3 images"))
_MORE_IMAGES = "4 or more"


def masks(predicted: Predicted) -> dict[str, dict[str, np.ndarray]]:
    """Finds the groups of each dimension.

    A subtype has one class, and so neither AUC nor specificity; against all images of NORMAL it
    has both.

    Args:
        predicted: the images.

    Returns:
        [N] bool by the group's name by the dimension; without dimensions of a single group.
    """
    by_value = {
        SUBTYPE: _by_value(predicted.subtype),
        SUBTYPE_AGAINST_NORMAL: {
            name: rows | ~predicted.label
            for name, rows in _by_value(predicted.subtype, predicted.label).items()
        },
        SHORTER_SIDE: _by_range(np.minimum(predicted.width, predicted.height), _SIDES, _LARGER),
        IMAGES_OF_PATIENT: _by_range(_images_of(predicted.patient), _IMAGES, _MORE_IMAGES),
        MODE: _by_value(predicted.mode),
        **{name: _by_value(column) for name, column in predicted.others.items()},
    }
    return {dimension: groups for dimension, groups in by_value.items() if len(groups) > 1}


def _by_value(column: np.ndarray, among: np.ndarray | None = None) -> dict[str, np.ndarray]:
    chosen = column if among is None else column[among]
    return {str(value): column == value for value in np.unique(chosen) if value != ""}


def _by_range(
    values: np.ndarray, ends: tuple[tuple[int, str], ...], beyond: str
) -> dict[str, np.ndarray]:
    number = np.searchsorted([end for end, _ in ends], values, side="right")
    names = [*(name for _, name in ends), beyond]
    return {names[index]: number == index for index in np.unique(number)}


def _images_of(patient: np.ndarray) -> np.ndarray:
    _, index, counts = np.unique(patient, return_inverse=True, return_counts=True)
    return counts[index]
