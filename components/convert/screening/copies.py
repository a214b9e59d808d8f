"""Images that were saved again: copies that were encoded or resized anew, found by how they look.

Candidates differ in few bits of their perceptual hash (ImageHash), and are confirmed by the
correlation of their thumbnails. Of the 13.7 million pairs of the 5,232 X-rays of Kermany et al.
2018, whose chests look alike, so many pairs of different patients are within a distance:

===============  ====  ====  =======  =======  =========  ==========
hash, 256 bits      0     8       16       24         30          36
===============  ====  ====  =======  =======  =========  ==========
pHash               0     0        0        0          0           1
dHash               0     0       26    2,169     18,346      92,804
wHash               0     7    1,427   37,785    200,293     673,752
===============  ====  ====  =======  =======  =========  ==========

===============  ====  ====  =======  =======  =========  ==========
hash, 64 bits       0     2        4        6          8          10
===============  ====  ====  =======  =======  =========  ==========
pHash               1    14      186    1,553      8,734      36,114
dHash             392  17 k    165 k    747 k      2.1 M       4.2 M
wHash           1,456  35 k    245 k    924 k      2.3 M       4.5 M
===============  ====  ====  =======  =======  =========  ==========

No two different images of it have thumbnails that correlate by more than 0.98. Copies of 80 X-rays
as JPEG of quality 20 to 95, of half and double size, of 64, 128 and 150 pixels, with noise,
brighter or of less contrast differ by at most 16 bits, and correlate by at least 0.995; at quality
10, 95 % differ by at most 18. Cropped, rotated and mirrored images are not recognised.
`python -m tests.benchmarks.copies IMAGES` counts them again.

Not all pairs are compared: of hashes that differ in at most 30 bits, one of 16 segments of 16 bits
differs in at most one. `segments` deals the hashes by segment, `candidates` finds the pairs of one,
and `groups` decides among the few images that candidates connect.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

MOST_BITS: Final = 30
"""Candidates differ in at most so many of the 256 bits of their hashes."""

LEAST_CORRELATION: Final = 0.985
"""Copies' thumbnails correlate at least so much."""

SEGMENTS: Final = 16
"""Of 16 bits, a word of the hash each: one more than half of MOST_BITS."""

_AT_ONCE = 2**17
_ROWS = 512


def candidates(hashes: np.ndarray, segment: int) -> Iterator[np.ndarray]:
    """Finds the pairs of hashes that differ in few bits, and in one segment by one at most.

    Args:
        hashes: [N, 32] uint8.
        segment: its number.

    Yields:
        [M, 2] int64: places of hashes. Of N hashes that are the same, N - 1 pairs are found.
    """
    _, place, back = np.unique(
        np.ascontiguousarray(hashes).view("V32")[:, 0], return_index=True, return_inverse=True
    )
    yield np.stack([place[back], np.arange(len(hashes))], axis=1)[
        place[back] != np.arange(len(hashes))
    ]
    words = np.ascontiguousarray(hashes[place]).view(np.uint64)
    values = np.ascontiguousarray(hashes[place]).view(np.uint16)[:, segment]
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    for bit in (0, *(1 << number for number in range(16))):
        # Each pair once: from the value without the bit, or from the earlier of equal ones.
        rows = np.flatnonzero(ordered & bit == 0)
        start = np.searchsorted(ordered, ordered[rows] ^ bit, side="left")
        stop = np.searchsorted(ordered, ordered[rows] ^ bit, side="right")
        if not bit:
            start = rows + 1
        for one, other in _runs(rows, start, stop):
            one, other = order[one], order[other]
            near = _bits(words[one, :2] ^ words[other, :2]) <= MOST_BITS
            one, other = one[near], other[near]
            near = _bits(words[one] ^ words[other]) <= MOST_BITS
            yield np.stack([place[one[near]], place[other[near]]], axis=1)


def groups(hashes: np.ndarray, thumbnails: np.ndarray) -> np.ndarray:
    """Joins the images that are copies of one another. All pairs are compared.

    Args:
        hashes: [N, 32] uint8, see `appearance.perceptual_hash`.
        thumbnails: [N, side, side] uint8.

    Returns:
        [N] int: the index of the first image of its group, its own where it has no copy.
    """
    parent = np.arange(len(hashes))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for one, other in _near(hashes):
        first, second = sorted((root(one), root(other)))
        if first == second:
            continue
        if _correlation(thumbnails[one], thumbnails[other]) >= LEAST_CORRELATION:
            parent[second] = first
    return np.array([root(index) for index in range(len(parent))], dtype=int)


def _near(hashes: np.ndarray) -> Iterator[tuple[int, int]]:
    words = np.ascontiguousarray(hashes).view(np.uint64)
    for top in range(0, len(words), _ROWS):
        for left in range(top, len(words), _ROWS):
            rows, columns = words[top : top + _ROWS], words[left : left + _ROWS]
            one, other = np.nonzero(_bits(rows[:, np.newaxis] ^ columns[np.newaxis]) <= MOST_BITS)
            later = one + top < other + left
            yield from zip((one[later] + top).tolist(), (other[later] + left).tolist(), strict=True)


def _runs(
    rows: np.ndarray, start: np.ndarray, stop: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs each row with each place from its start up to its stop, some thousands at once."""
    lengths = np.maximum(stop - start, 0)
    ends = np.cumsum(lengths)
    first = 0
    while first < len(rows):
        before = ends[first - 1] if first else 0
        last = max(int(np.searchsorted(ends, before + _AT_ONCE, side="right")), first + 1)
        some = lengths[first:last]
        one = np.repeat(rows[first:last], some)
        offsets = np.arange(len(one)) - np.repeat(ends[first:last] - some - before, some)
        yield one, np.repeat(start[first:last], some) + offsets
        first = last


def _bits(words: np.ndarray) -> np.ndarray:
    return np.bitwise_count(words).sum(axis=-1, dtype=np.int64)


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    first, second = (each.astype(np.float64) - each.mean() for each in (one, other))
    norm = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / norm) if norm else 0.0
