"""Finds images that are inverted against the others of a dataset, or too unlike them.

All is measured against the dataset itself, by thumbnails of mean 0 and norm 1. The thresholds come
from 5,232 X-rays of Kermany et al. 2018 and 120 of adults, with the numbers beside each.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

LEAST_IMAGES: Final = 20
"""Fewer images say nothing about what belongs to them."""

_SIDE = 16
# The median correlation of an image with the first direction of all is 0.86 and 0.62; few images
# have one in common by chance.
_COHERENT = 0.5
_COHERENT_OF_FEW = 0.75
# The lowest correlations are 0.21 and -0.34 (an image of which a third is a black bar); of inverted
# X-rays 99 % and 75 % are below.
_INVERTED = -0.5
# White margins are bright where X-rays are dark, as inverted ones are. With a fifth of its width at
# each side, 39 of 40 X-rays are below, and none by what lies within; of 320 inverted ones, with and
# without black margins, 319 are below by that as well.
_WHITE = 250
_LEAST_INK = 0.1
_LEAST_WITHIN = 8
_DIRECTIONS = 8
_IMAGES_PER_DIRECTION = 10
# Residuals beyond this many median absolute deviations have 0.5 % and 0.8 %; of photographs,
# masks, X-rays on their side, inverted ones and noise at least 97 % have.
_DEVIATIONS = 8.0
# The reference is fitted without the images that are least like it.
_LEFT_OUT = 0.1


@dataclass(frozen=True)
class Likeness:
    """How images are related to the others of their dataset.

    Attributes:
        inverted: [N] bool: the grey levels run against those of the majority.
        unlike: [N] bool: far from what most images have in common.
        distance: [N] float: of an image from that, in median absolute deviations above the median.
    """

    inverted: np.ndarray
    unlike: np.ndarray
    distance: np.ndarray


def compare(thumbnails: np.ndarray) -> Likeness:
    """Compares the images of a dataset with each other.

    Args:
        thumbnails: [N, 32, 32] uint8, none of them blank.

    Returns:
        See Likeness. No image is inverted or unlike where the images have too little in common, or
        where they are fewer than LEAST_IMAGES and not nearly the same.
    """
    number = len(thumbnails)
    nothing = Likeness(np.zeros(number, bool), np.zeros(number, bool), np.zeros(number))
    if number < 2:
        return nothing
    described = _described(thumbnails)
    direction = _first_direction(described)
    if (described @ direction < 0).sum() * 2 > number:
        direction = -direction
    correlation = described @ direction
    coherence = float(np.median(np.abs(correlation)))
    if coherence < (_COHERENT if number >= LEAST_IMAGES else _COHERENT_OF_FEW):
        return nothing
    inverted = correlation <= _INVERTED
    if inverted.any():
        within = np.stack([_without_margins(each) for each in thumbnails[inverted]])
        inverted[inverted] = _described(within) @ direction <= _INVERTED
    if number < LEAST_IMAGES:
        return Likeness(inverted, nothing.unlike, nothing.distance)
    distance = _distance(described, correlation)
    return Likeness(inverted, ~inverted & (distance > _DEVIATIONS), distance)


def _described(thumbnails: np.ndarray) -> np.ndarray:
    """Returns [N, 256] float32 of mean 0 and norm 1."""
    number, side, _ = thumbnails.shape
    step = side // _SIDE
    reduced = thumbnails.reshape(number, _SIDE, step, _SIDE, step).mean((2, 4), dtype=np.float32)
    flat = reduced.reshape(number, -1)
    flat -= flat.mean(axis=1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)


def _without_margins(thumbnail: np.ndarray) -> np.ndarray:
    """Cuts white margins off, and enlarges the rest to the thumbnail's size."""
    is_ink = thumbnail < _WHITE
    rows, columns = (np.flatnonzero(is_ink.mean(axis) > _LEAST_INK) for axis in (1, 0))
    if not len(rows) or not len(columns):
        return thumbnail
    part = thumbnail[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    if min(part.shape) < _LEAST_WITHIN:
        return thumbnail
    side = thumbnail.shape
    return np.asarray(Image.fromarray(part).resize(side, Image.Resampling.BILINEAR))


def _first_direction(described: np.ndarray) -> np.ndarray:
    # The largest eigenvector of the products does not depend on the signs of the images: inverted
    # ones, were they half of all, only have the other sign along it.
    return np.linalg.eigh(described.T @ described)[1][:, -1]


def _distance(described: np.ndarray, correlation: np.ndarray) -> np.ndarray:
    along = correlation > 0
    core = described[along & (correlation >= np.quantile(correlation[along], _LEFT_OUT))]
    mean = core.mean(axis=0)
    kept = min(_DIRECTIONS, len(core) // _IMAGES_PER_DIRECTION)
    directions = np.linalg.eigh((core - mean).T @ (core - mean))[1][:, len(mean) - kept :]
    centred = described - mean
    rest = (centred**2).sum(axis=1) - ((centred @ directions) ** 2).sum(axis=1)
    residual = np.sqrt(np.maximum(rest, 0))
    middle = np.median(residual)
    deviation = np.median(np.abs(residual - middle))
    return (residual - middle) / max(float(deviation), 1e-6)
