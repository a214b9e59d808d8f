"""Table of images with their predictions, a column an array."""

import dataclasses
from dataclasses import dataclass, field

import numpy as np

Column = np.ndarray
"""[N], one value an image."""


@dataclass(frozen=True)
class Predicted:
    """Images with their labels, with what the model answers, and with what else is known.

    Attributes:
        path: str, of each image.
        patient: str, whose image it is.
        label: bool, whether it is PNEUMONIA.
        subtype: str, empty if unknown.
        probability: float64 in [0, 1], of pneumonia.
        valid: bool, whether the model could decode it. The columns below need it.
        in_domain: bool, whether the model finds it in domain; None where the model
            does not say.
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
        others: further columns by name, of str, by which slices are asked for.
    """

    path: Column
    patient: Column
    label: Column
    subtype: Column
    probability: Column
    valid: Column
    in_domain: Column | None
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
        """Its own columns by name, without an ``in_domain`` that is not known."""
        own = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)[:-1]}
        return {name: column for name, column in own.items() if column is not None}

    def only(self, rows: np.ndarray) -> "Predicted":
        """Chooses images.

        Args:
            rows: [N] bool, or indices.
        """
        chosen = {name: column[rows] for name, column in self.columns().items()}
        others = {name: column[rows] for name, column in self.others.items()}
        return Predicted(**{"in_domain": None, **chosen}, others=others)

    def patients(self) -> int:
        """Counts the patients."""
        return len(np.unique(self.patient))
