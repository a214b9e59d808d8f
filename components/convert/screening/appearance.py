"""Appearance of an image: a thumbnail, a perceptual hash, and whether it shows a thing.

The thresholds were measured on thumbnails of 5,232 X-rays of Kermany et al. 2018 and 120 of adults:

- At most 42 % of a thumbnail lie within 4 levels of one level, at most 61 % within 4 levels of two.
  Of 12 masks of lungs at least 88 % do.
- An X-ray in a black frame, as of a newborn on a large detector, may have 90 % within two levels.
  Of what the commonest level leaves, the second one has at most 28 % there, and 72 % in the masks.
"""

from typing import Final

import imagehash
import numpy as np
from PIL import Image

from transform_module.contract import LEAST_DEVIATION, THUMBNAIL_SIDE

HASH_BYTES: Final = 32
"""Length of a perceptual hash."""

_MOST_OF_ONE_LEVEL = 0.95
_MOST_OF_TWO_LEVELS = 0.80
_LEAST_OF_REST = 0.5
_NEIGHBOURS = 4


def thumbnail(pixels: np.ndarray) -> np.ndarray:
    """Shrinks an image to a square by averaging.

    Args:
        pixels: [H, W] uint8, with no side shorter than THUMBNAIL_SIDE.

    Returns:
        [THUMBNAIL_SIDE, THUMBNAIL_SIDE] uint8. Copies of an image that were resized or squashed to
        another aspect ratio have nearly the same.
    """
    side = (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    return np.asarray(Image.fromarray(pixels).resize(side, Image.Resampling.BOX))


def perceptual_hash(small: np.ndarray) -> bytes:
    """Hashes a thumbnail so that images that look alike differ in few bits.

    Args:
        small: as `thumbnail` returns it.

    Returns:
        HASH_BYTES bytes: of the 16 x 16 lowest frequencies of its discrete cosine transform,
        whether each is above their median.
    """
    found = imagehash.phash(Image.fromarray(small), hash_size=16, highfreq_factor=2)
    return np.packbits(found.hash).tobytes()


def shows_nothing(small: np.ndarray) -> str | None:
    """Returns why an image cannot be an X-ray, whichever others are beside it.

    Args:
        small: as `thumbnail` returns it.

    Returns:
        The reason: it is blank, or a mask of two levels; None for others.
    """
    deviation = float(small.std())
    counts = np.bincount(small.ravel(), minlength=256)
    first = _commonest(counts)
    if deviation < LEAST_DEVIATION or first >= _MOST_OF_ONE_LEVEL * small.size:
        return f"blank: its grey levels deviate by {deviation:.1f} of 255"
    second = _commonest(counts)
    both, rest = first + second, small.size - first
    if both >= _MOST_OF_TWO_LEVELS * small.size and second >= _LEAST_OF_REST * rest:
        return f"mask: {both / small.size:.0%} of it are two grey levels"
    return None


def _commonest(counts: np.ndarray) -> int:
    """Takes the level with the most pixels around it out of a histogram; returns their number."""
    around = np.convolve(counts, np.ones(2 * _NEIGHBOURS + 1, counts.dtype), "same")
    level = int(around.argmax())
    counts[max(0, level - _NEIGHBOURS) : level + _NEIGHBOURS + 1] = 0
    return int(around[level])
