"""Groups of pictures that may be judged better or worse than others."""

from typing import Final

import numpy as np

from components.analysis.judged import Judged

SUBTYPE: Final = "subtype"
SUBTYPE_AGAINST_NORMAL: Final = "subtype against NORMAL"
SHORTER_SIDE: Final = "shorter side"
MODE: Final = "mode"
PICTURES_OF_PATIENT: Final = "images of the patient"

_SIDES = ((250, "below 250 px"), (500, "250-499 px"), (1000, "500-999 px"), (1500, "1000-1499 px"))
_LARGER = "from 1500 px"
_PICTURES = ((2, "1 image"), (4, "2-3 images"))
_MORE_PICTURES = "4 or more"


def masks(judged: Judged) -> dict[str, dict[str, np.ndarray]]:
    """Finds the groups of each dimension.

    A subtype has one class, and so neither AUC nor specificity; against all pictures of NORMAL it
    has both.

    Args:
        judged: the pictures.

    Returns:
        [N] bool by the group's name by the dimension; without dimensions of a single group.
    """
    by_value = {
        SUBTYPE: _by_value(judged.subtype),
        SUBTYPE_AGAINST_NORMAL: {
            name: rows | ~judged.label
            for name, rows in _by_value(judged.subtype, judged.label).items()
        },
        SHORTER_SIDE: _by_range(np.minimum(judged.width, judged.height), _SIDES, _LARGER),
        PICTURES_OF_PATIENT: _by_range(_pictures_of(judged.patient), _PICTURES, _MORE_PICTURES),
        MODE: _by_value(judged.mode),
        **{name: _by_value(column) for name, column in judged.others.items()},
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


def _pictures_of(patient: np.ndarray) -> np.ndarray:
    _, index, counts = np.unique(patient, return_inverse=True, return_counts=True)
    return counts[index]
