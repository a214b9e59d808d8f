"""The images that are most and least like the mean of their class, by their thumbnails. Pure.

Parts of the images are read twice, in any order: once for the `Centres`, and once to find the ends.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from components.convert.inspection import Looks
from components.convert.screening.likeness import vectors
from components.convert.tally import EXAMPLES, Mark, Tally
from transform_module.contract import LABELS

TYPICAL = "typical"
ODD = "odd"

_SCALE = 2**15

Examples = Mapping[int, tuple[str, float]]
"""For a few images, by index: TYPICAL or ODD, and the order among these."""


@dataclass(frozen=True)
class Centres:
    """Sums over the thumbnails of each class.

    Attributes:
        sums: [2, 256] int64, of each of LABELS, in fixed point, so that no order changes them.
    """

    sums: np.ndarray

    @classmethod
    def of(cls, looks: Looks) -> "Centres":
        """Sums up some images."""
        labels = np.array(looks.labels)
        whole = np.rint(vectors(looks.thumbnails) * np.float64(_SCALE)).astype(np.int64)
        return cls(np.stack([whole[labels == label].sum(axis=0) for label in LABELS]))

    @classmethod
    def nothing(cls) -> "Centres":
        """Returns the sums of no image."""
        return cls(np.zeros((len(LABELS), 1), np.int64))

    def __add__(self, other: "Centres") -> "Centres":
        return Centres(self.sums + other.sums)


def ends(looks: Looks, centres: Centres) -> Tally:
    """Finds the images that are nearest to and furthest from the mean of their class.

    Args:
        looks: some images.
        centres: of all.

    Returns:
        A tally of which `examples` are the examples.
    """
    marks = []
    labels = np.array(looks.labels)
    thumbnails = vectors(looks.thumbnails)
    for label, total in zip(LABELS, centres.sums, strict=True):
        members = np.flatnonzero(labels == label)
        centre = total / max(float(np.linalg.norm(total)), 1.0)
        # Rounded, so that the order of two that are alike does not depend on the machine.
        distance = np.round(1 - thumbnails[members] @ centre, 6)
        order = np.lexsort((looks.index[members], distance))
        for kind, some, sign in ((TYPICAL, order[:EXAMPLES], 1), (ODD, order[-EXAMPLES:], -1)):
            marks += [
                Mark((kind, label), (sign * float(distance[at]), int(looks.index[members[at]])), "")
                for at in some
            ]
    return Tally(marks)


def examples(tally: Tally) -> Examples:
    """Returns the images at both ends; where these are few, none is at both."""
    found: dict[int, tuple[str, float]] = {}
    for kind in (ODD, TYPICAL):
        for count in tally.of(kind).values():
            for (order, index), _ in count.examples:
                found[int(index)] = (kind, order)
    return found
