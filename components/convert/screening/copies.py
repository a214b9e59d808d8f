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
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

MOST_BITS: Final = 30
"""Candidates differ in at most so many of the 256 bits of their hashes."""

LEAST_CORRELATION: Final = 0.985
"""Copies' thumbnails correlate at least so much."""

_ROWS, _COLUMNS = 512, 4096


def groups(hashes: np.ndarray, thumbnails: np.ndarray) -> np.ndarray:
    """Joins the images that are copies of one another.

    All pairs of hashes are compared in blocks: 100,000 images take half a minute of CPU time.

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

    for one, other in _pairs(hashes, thumbnails):
        first, second = sorted((root(one), root(other)))
        parent[second] = first
    return np.array([root(index) for index in range(len(parent))], dtype=int)


def distances(hashes: np.ndarray, most: int) -> Iterator[np.ndarray]:
    """Compares all pairs of hashes.

    Args:
        hashes: [N, 32] uint8.
        most: pairs that differ in more bits are left out.

    Yields:
        [M, 3] int: both indices, ascending, and the number of bits.
    """
    words = np.ascontiguousarray(hashes).view(np.uint64)
    for top in range(0, len(words), _ROWS):
        rows = words[top : top + _ROWS]
        for left in range(top - top % _COLUMNS, len(words), _COLUMNS):
            columns = words[left : left + _COLUMNS]
            # Half of the bits rules out nearly all pairs; 128 of them fit into uint8.
            half = sum(
                np.bitwise_count(rows[:, np.newaxis, word] ^ columns[np.newaxis, :, word])
                for word in (0, 1)
            )
            one, other = np.nonzero(half <= most)
            later = one + top < other + left
            one, other = one[later], other[later]
            bits = np.bitwise_count(rows[one] ^ columns[other]).sum(axis=1, dtype=int)
            near = bits <= most
            yield np.stack([one[near] + top, other[near] + left, bits[near]], axis=1)


def _pairs(hashes: np.ndarray, thumbnails: np.ndarray) -> Iterator[tuple[int, int]]:
    for candidates in distances(hashes, MOST_BITS):
        for one, other, _ in candidates.tolist():
            if _correlation(thumbnails[one], thumbnails[other]) >= LEAST_CORRELATION:
                yield one, other


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    first, second = (each.astype(np.float64) - each.mean() for each in (one, other))
    norm = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / norm) if norm else 0.0
