"""Images with their predictions: a row an image, and a table with an array a column."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from transform_module.images.measures import MEASURES

UNDECIDED: Final = 0.5
"""The probability of an image that could not be decoded."""

Column = np.ndarray
"""[N], one value an image."""


@dataclass(frozen=True)
class PredictedImage:
    """An image and its predictions, a row of `Predicted`, whose columns it explains.

    Attributes:
        path: see `Predicted`, as all that is not listed here.
        probability: UNDECIDED where the image is not valid.
        domain_distance: how far it is from the training images; None as ``in_domain``.
        brightness: None where it could not be measured, as contrast, sharpness and border.
        other_probability: that of another model, which is compared with; None without one.
        other_valid: whether that one could decode it; None without one.
    """

    path: str
    patient: str
    label: bool
    subtype: str
    probability: float
    valid: bool
    in_domain: bool | None = None
    domain_distance: float | None = None
    triage: str | None = None
    width: int = 0
    height: int = 0
    mode: str = ""
    bytes: int = 0
    sha256: str = ""
    brightness: float | None = None
    contrast: float | None = None
    sharpness: float | None = None
    border: float | None = None
    other_probability: float | None = None
    other_valid: bool | None = None


@dataclass(frozen=True)
class Predicted:
    """Images with their labels, with their predictions, and with what else is known.

    Attributes:
        path: str, of each image.
        patient: str, whose image it is.
        label: bool, whether it is PNEUMONIA.
        subtype: str, empty if unknown.
        probability: float64 in [0, 1], of pneumonia.
        valid: bool, whether the model could decode it. The columns below need it.
        in_domain: bool, whether the model finds it in domain; None where the model
            does not say.
        triage: str, NORMAL, REVIEW or PNEUMONIA; None where the model does not say.
        width: int64, in pixels, of the file.
        height: int64, in pixels, of the file.
        mode: str, of its pixels, in Pillow's words, such as ``L`` or ``RGB``.
        bytes: int64, size of the file.
        sha256: str, of the file, 64 hexadecimal digits; empty where it could not be read.
        brightness: float64, see `measures`, as the next three; not a number where it could not be
            measured.
        contrast: float64.
        sharpness: float64.
        border: float64.
        others: further columns by name, of str, by which slices are defined.
    """

    path: Column
    patient: Column
    label: Column
    subtype: Column
    probability: Column
    valid: Column
    in_domain: Column | None
    triage: Column | None
    width: Column
    height: Column
    mode: Column
    bytes: Column
    sha256: Column
    brightness: Column
    contrast: Column
    sharpness: Column
    border: Column
    others: dict[str, Column] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Checks that all columns are of one length.

        Raises:
            ValueError: they are not.
        """
        lengths = {name: len(column) for name, column in (self.others | self.columns()).items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"The columns must be of one length. Received: {lengths}")

    def __len__(self) -> int:
        return len(self.path)

    def columns(self) -> dict[str, Column]:
        """Its own columns by name, without an ``in_domain`` or ``triage`` that is not known."""
        own = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)[:-1]}
        return {name: column for name, column in own.items() if column is not None}

    def only(self, rows: np.ndarray) -> "Predicted":
        """Chooses images.

        Args:
            rows: [N] bool, or indices.
        """
        chosen = {name: column[rows] for name, column in self.columns().items()}
        others = {name: column[rows] for name, column in self.others.items()}
        return Predicted(**{**dict.fromkeys(_OPTIONAL), **chosen}, others=others)

    def patients(self) -> int:
        """Counts the patients."""
        return len(np.unique(self.patient))


_TYPES: Final = {
    **dict.fromkeys(("path", "patient", "subtype", "triage", "mode", "sha256"), str),
    **dict.fromkeys(("label", "valid", "in_domain"), bool),
    **dict.fromkeys(("width", "height", "bytes"), np.int64),
    **dict.fromkeys(("probability", *MEASURES), np.float64),
}

# A model reports them for every valid image, or for none.
_OPTIONAL: Final = ("in_domain", "triage")


def table(
    images: Sequence[PredictedImage], others: Mapping[str, np.ndarray] | None = None
) -> Predicted:
    """Makes a table of rows, in their order.

    Args:
        images: the rows.
        others: further columns by name, [N] str.
    """
    columns: dict[str, Any] = {}
    for name, kind in _TYPES.items():
        values = [getattr(image, name) for image in images]
        if name in _OPTIONAL and all(value is None for value in values):
            columns[name] = None
        else:
            known = ["" if value is None and kind is str else value for value in values]
            columns[name] = np.array(known, kind)
    return Predicted(**columns, others=dict(others or {}))
