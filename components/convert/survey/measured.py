"""Measurements of images, of so many as memory bounds: a sum of Beam's."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from components.convert.outcomes import Outcome
from components.convert.splits import number

MOST: Final = 20_000
"""Images that are kept: at most twice as many while they are added up, some 20 MB."""


class Measured(NamedTuple):
    """Measurements of an image; see `Outcome` for what is not explained here.

    Attributes:
        patient: a hash of the patient's id.
        place: of the image, see `Outcome.index`.
        bytes: size of the file.
        bits: as text, such as ``8`` or ``12 of 16``.
    """

    patient: int
    place: int
    label: str
    format: str
    colours: str
    bits: str
    view: str
    width: int
    height: int
    bytes: int
    brightness: float
    contrast: float
    sharpness: float
    border: float


def measured(outcome: Outcome) -> Iterator["Sample"]:
    """Yields the measurements of an image that is in a split."""
    if outcome.split is None:
        return
    row = Measured(
        patient=number(str(outcome.patient)),
        place=outcome.index,
        label=outcome.label,
        format=outcome.format,
        colours=outcome.colours,
        bits=bits(outcome),
        view=outcome.view,
        width=outcome.width,
        height=outcome.height,
        bytes=outcome.file.size,
        **outcome.measures,
    )
    yield Sample([row])


def bits(outcome: Outcome) -> str:
    """Returns the bits of an image's samples, such as ``8`` or ``12 of 16``."""
    used = outcome.bits - outcome.unused_bits
    return f"{used} of {outcome.bits}" if outcome.unused_bits else str(outcome.bits)


class Sample:
    """Measurements of all images, or of about MOST: of the patients whose hashes are least.

    The last of these patients may lack some images. Which images are kept does not depend on the
    order in which samples are added.
    """

    def __init__(self, rows: Iterable[Measured] = ()) -> None:
        self._rows = list(rows)

    def __iadd__(self, other: "Sample") -> "Sample":
        self._rows += other._rows
        if len(self._rows) >= 2 * MOST:
            self._rows = self.rows()
        return self

    def rows(self) -> list[Measured]:
        """Returns the measurements, in the order of the hashes of the patients."""
        return sorted(self._rows)[:MOST]
