"""Joins what is connected by pairs, such as patients that share an image.

Only what is in a pair takes memory: 32 bytes, in one worker.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

_MOST_PAIRS = 2**20
_MOST_PARTS = 1000


@dataclass(frozen=True)
class Joined:
    """What is connected.

    Attributes:
        numbers: [N] int64, ascending: all that are in a pair.
        first: [N] int64: for each the least that it is connected with.
    """

    numbers: np.ndarray
    first: np.ndarray

    @classmethod
    def nothing(cls) -> "Joined":
        """Returns nothing that is connected."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.int64))

    def among(self, numbers: np.ndarray) -> np.ndarray:
        """Returns which of some numbers are in a pair, [M] bool."""
        return np.isin(numbers, self.numbers)

    def of(self, number: int, default: int) -> int:
        """Returns the least number that one is connected with, the default where it is in none."""
        place = int(np.searchsorted(self.numbers, number))
        if place < len(self.numbers) and self.numbers[place] == number:
            return int(self.first[place])
        return default


def join(pairs: np.ndarray) -> Joined:
    """Joins what is connected by pairs.

    Args:
        pairs: [E, 2] int64.
    """
    numbers, places = np.unique(pairs, return_inverse=True)
    one, other = places.reshape(-1, 2).T
    graph = coo_array((np.ones(len(one), np.int8), (one, other)), (len(numbers), len(numbers)))
    _, group = connected_components(graph, directed=False)
    _, first = np.unique(group, return_index=True)
    return Joined(numbers, numbers[first[group]] if len(numbers) else numbers)


class Pairs:
    """Pairs of what is connected, to be added up by Beam, and then joined.

    Args:
        pairs: [E, 2] int64.
    """

    def __init__(self, pairs: np.ndarray | None = None) -> None:
        self._parts = [np.zeros((0, 2), np.int64) if pairs is None else pairs]
        self._number = len(self._parts[0])
        self._most = _MOST_PAIRS

    def __iadd__(self, other: "Pairs") -> "Pairs":
        self._parts += other._parts
        self._number += other._number
        if self._number >= self._most:
            joined = self.joined()
            self._parts = [np.stack([joined.first, joined.numbers], axis=1)]
            self._number = len(self._parts[0])
            # Joined seldom enough that each pair is joined a few times at most.
            self._most = max(_MOST_PAIRS, 2 * self._number)
        elif len(self._parts) >= _MOST_PARTS:
            self._parts = [np.concatenate(self._parts)]
        return self

    def joined(self) -> Joined:
        """Joins what they connect."""
        return join(np.concatenate(self._parts))
