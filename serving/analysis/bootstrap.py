"""The bootstrap over patients: images of one patient are alike, and so are drawn together.

Intervals are percentiles of the replicates (Efron and Tibshirani 1993, chapter 13); clusters are
drawn with replacement (Field and Welsh 2007, https://doi.org/10.1111/j.1467-9868.2007.00593.x).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

CONFIDENCE: Final = 0.95

# Numbers of an array of replicates: 8 MB, which the cache likes better than all at once. More only
# where one replicate has more.
_NUMBERS_AT_ONCE = 1_000_000
_AT_ONCE = 200


@dataclass(frozen=True)
class Bootstrap:
    """How replicates are drawn.

    Attributes:
        replicates: how many.
        seed: of the drawing; the same one draws the same.
    """

    replicates: int = 1000
    seed: int = 7

    def weights(self, patient: np.ndarray) -> Iterator[np.ndarray]:
        """Draws patients.

        Args:
            patient: [N], whose image each is.

        Yields:
            [R, N] float64, how often each image was drawn; together ``replicates`` rows, as many
            at once as take some megabytes. How many these are changes no row.
        """
        _, index = np.unique(patient, return_inverse=True)
        patients = int(index.max()) + 1
        generator = np.random.default_rng(self.seed)
        at_once = min(_AT_ONCE, max(1, _NUMBERS_AT_ONCE // len(index)))
        for start in range(0, self.replicates, at_once):
            rows = min(at_once, self.replicates - start)
            drawn = generator.integers(patients, size=(rows, patients))
            drawn += patients * np.arange(rows)[:, np.newaxis]
            counts = np.bincount(drawn.ravel(), minlength=rows * patients)
            yield counts.reshape(rows, patients)[:, index].astype(np.float64)


def interval(replicates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Takes the percentiles that enclose 95 % of the replicates.

    Args:
        replicates: [R, ...]; those that are not a number are left out.

    Returns:
        Lower and upper end, each [...]; not a number where no replicate is one.
    """
    tail = (1 - CONFIDENCE) / 2
    never = np.isnan(replicates).all(axis=0)
    low, high = np.nanquantile(np.where(never, 0.0, replicates), [tail, 1 - tail], axis=0)
    return np.where(never, np.nan, low), np.where(never, np.nan, high)
