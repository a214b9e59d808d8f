"""Distribution of a quantity over images, in few numbers."""

from dataclasses import dataclass
from typing import Final

import numpy as np

BINS: Final = 10
"""The most bins of a distribution."""


@dataclass(frozen=True)
class Distribution:
    """Shares of images in ranges of a quantity.

    Attributes:
        edges: ascending; a range goes from one to below the next, the first has no start and the
            last no end.
        shares: of the images in each range, one more than there are edges.
        mean: of the quantity.
    """

    edges: list[float]
    shares: list[float]
    mean: float


def summarise(values: np.ndarray) -> Distribution:
    """Summarises a quantity in ranges that hold about the same share each.

    Args:
        values: [N], of at least one image.
    """
    quantiles = np.linspace(0, 1, BINS + 1)[1:-1]
    edges = np.unique(np.quantile(values, quantiles, method="higher"))
    return Distribution(edges.tolist(), shares(values, edges), float(np.mean(values)))


def shares(values: np.ndarray, edges: np.ndarray | list[float]) -> list[float]:
    """Returns the share of values in each range between edges, see `Distribution`."""
    number = np.searchsorted(edges, values, side="right")
    return (np.bincount(number, minlength=len(edges) + 1) / len(values)).tolist()
