"""Finds images that are inverted against the others of a dataset, or too unlike them. Pure.

The images are read four times, in parts and in any order, and each time all parts are summed up to
figures of a fixed size: `Moments`, the histogram of correlations, `Moments` of most images, and the
histogram of residuals. Sums are of integers, so that no order changes them.

All is measured against the dataset itself, by thumbnails of mean 0 and norm 1. The thresholds come
from 5,232 X-rays of Kermany et al. 2018 and 120 of adults, with the numbers beside each.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

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
_LEFT_OUT = 0.1


BINS: Final = 2**16
"""Of the histograms of correlations, from -1 to 1, and of residuals, from 0 to 2."""

_SCALE = 2**15


@dataclass(frozen=True)
class Moments:
    """Sums over described images, in fixed point.

    Attributes:
        number: of images.
        sums: [256] int64.
        products: [256, 256] int64.
    """

    number: int
    sums: np.ndarray
    products: np.ndarray

    @classmethod
    def of(cls, thumbnails: np.ndarray, chosen: np.ndarray | None = None) -> "Moments":
        """Sums up images [N, 32, 32] uint8, those that are chosen [N] bool."""
        described = vectors(thumbnails)
        whole = (
            np.rint(described[chosen] * np.float64(_SCALE))
            if chosen is not None
            else np.rint(described * np.float64(_SCALE))
        )
        products = (whole.T @ whole).astype(np.int64)
        return cls(len(whole), whole.sum(axis=0).astype(np.int64), products)

    @classmethod
    def nothing(cls) -> "Moments":
        """Returns those of no image."""
        side = _SIDE**2
        return cls(0, np.zeros(side, np.int64), np.zeros((side, side), np.int64))

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(
            self.number + other.number, self.sums + other.sums, self.products + other.products
        )


def first_direction(moments: Moments) -> np.ndarray:
    """Returns what most images have in common, [256] float64 of norm 1, of either sign."""
    # The largest eigenvector of the products does not depend on the signs of the images: inverted
    # ones, were they half of all, only have the other sign along it.
    return np.linalg.eigh(moments.products / np.float64(_SCALE) ** 2)[1][:, -1]


def correlations(thumbnails: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Returns the correlation of each image with a direction, [N] float64."""
    return vectors(thumbnails) @ direction


def no_histogram() -> np.ndarray:
    """Returns the histogram [BINS] int64 of nothing."""
    return np.zeros(BINS, np.int64)


def histogram(values: np.ndarray) -> np.ndarray:
    """Returns the histogram [BINS] int64 of values from -1 to 1."""
    return np.bincount(_bins(values), minlength=BINS)


@dataclass(frozen=True)
class Majority:
    """What most images have in common.

    Attributes:
        direction: [256] float64: most images correlate with it.
        number: of images.
        is_coherent: whether they have enough in common to say anything.
        core: the bin of the correlation from that on an image counts as one of most.
    """

    direction: np.ndarray
    number: int
    is_coherent: bool
    core: float


def majority(direction: np.ndarray, correlation: np.ndarray) -> Majority:
    """Finds out how most images are related to a direction.

    Args:
        direction: see `first_direction`.
        correlation: the histogram of the correlations with it.
    """
    number, middle = int(correlation.sum()), BINS // 2
    if correlation[:middle].sum() * 2 > number:
        direction, correlation = -direction, correlation[::-1]
    centres = (np.arange(BINS) + 0.5) / middle - 1
    coherence = _quantile(np.abs(centres), correlation, 0.5)
    along = np.where(np.arange(BINS) >= middle, correlation, 0)
    return Majority(
        direction,
        number,
        number > 1 and coherence >= (_COHERENT if number >= LEAST_IMAGES else _COHERENT_OF_FEW),
        # The reference is fitted without the images that are least like it.
        _quantile(np.arange(BINS), along, _LEFT_OUT),
    )


def core_of(thumbnails: np.ndarray, majority: Majority) -> Moments:
    """Sums up the images that are like most."""
    correlation = correlations(thumbnails, majority.direction)
    return Moments.of(thumbnails, (correlation > 0) & (_bins(correlation) >= majority.core))


class Reference(NamedTuple):
    """The mean of most images [256], and the directions [256, K] in which these vary most."""

    mean: np.ndarray
    directions: np.ndarray


def reference(core: Moments) -> Reference:
    """Describes most images by their mean and their variation."""
    mean = core.sums / max(core.number, 1) / _SCALE
    scatter = core.products / np.float64(_SCALE) ** 2 - core.number * np.outer(mean, mean)
    kept = min(_DIRECTIONS, core.number // _IMAGES_PER_DIRECTION)
    return Reference(mean, np.linalg.eigh(scatter)[1][:, len(mean) - kept :])


def residuals(thumbnails: np.ndarray, reference: Reference) -> np.ndarray:
    """Returns how far each image is from the variation of most, less 1, [N] float64."""
    centred = vectors(thumbnails) - reference.mean
    rest = (centred**2).sum(axis=1) - ((centred @ reference.directions) ** 2).sum(axis=1)
    return np.sqrt(np.maximum(rest, 0)) - 1


class Spread(NamedTuple):
    """The median of the residuals and their median absolute deviation from it, in bins."""

    middle: float
    deviation: float


def spread(residual: np.ndarray) -> Spread:
    """Finds median and deviation of a histogram of residuals."""
    bins = np.arange(BINS)
    middle = _quantile(bins, residual, 0.5)
    return Spread(middle, _quantile(np.abs(bins - middle), residual, 0.5))


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


def compare(
    thumbnails: np.ndarray, majority: Majority, reference: Reference, spread: Spread
) -> Likeness:
    """Compares images with most of their dataset.

    Args:
        thumbnails: [N, 32, 32] uint8, none of them blank.
        majority: of all images of the dataset.
        reference: of most.
        spread: of the residuals of all.

    Returns:
        See Likeness. No image is inverted or unlike where the images have too little in common, or
        where they are fewer than LEAST_IMAGES and not nearly the same.
    """
    number = len(thumbnails)
    nothing = Likeness(np.zeros(number, bool), np.zeros(number, bool), np.zeros(number))
    if not majority.is_coherent:
        return nothing
    inverted = correlations(thumbnails, majority.direction) <= _INVERTED
    if inverted.any():
        within = np.stack([_without_margins(each) for each in thumbnails[inverted]])
        inverted[inverted] = correlations(within, majority.direction) <= _INVERTED
    if majority.number < LEAST_IMAGES:
        return Likeness(inverted, nothing.unlike, nothing.distance)
    residual = _bins(residuals(thumbnails, reference))
    width = 2 / BINS
    distance = (residual - spread.middle) * width / max(spread.deviation * width, 1e-6)
    return Likeness(inverted, ~inverted & (distance > _DEVIATIONS), distance)


def _bins(values: np.ndarray) -> np.ndarray:
    """Returns in which bin of BINS from -1 to 1 values are, [N] int64."""
    return np.clip(np.floor((values + 1) * (BINS // 2)), 0, BINS - 1).astype(np.int64)


def _quantile(values: np.ndarray, counts: np.ndarray, share: float) -> float:
    """Returns a quantile of values that occur so many times each, as `numpy.quantile` does."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(counts[order])
    if not below[-1]:
        return 0.0
    place = share * (int(below[-1]) - 1)
    lower, upper = (
        float(values[order[np.searchsorted(below, whole, side="right")]])
        for whole in (int(place), min(int(place) + 1, int(below[-1]) - 1))
    )
    return lower + (upper - lower) * (place - int(place))


def vectors(thumbnails: np.ndarray) -> np.ndarray:
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
