"""Exposure and noise: each pixel by itself."""

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
import tensorflow as tf

from trainer_module.settings.augmentation import AugmentationSettings

# Below it a pixel has no logarithm; it is a tenth of the step between two grey levels.
_BLACK: Final = 1 / 2550

_NOISE_ROWS: Final = 2048


def expose(
    pixels: tf.Tensor, numbers: Mapping[str, tf.Tensor], settings: AugmentationSettings
) -> tf.Tensor:
    """Changes gamma, then contrast about the image's mean, then brightness.

    Args:
        pixels: [N, height, width, 1] float32 in [0, 1].
        numbers: by name, [N] float32 in [-1, 1).
        settings: how far.

    Returns:
        As ``pixels``.
    """
    if settings.gamma:
        exponent = tf.exp(math.log1p(settings.gamma) * _each(numbers["gamma"]))
        # tf.pow takes seven times as long on a CPU.
        pixels = tf.exp(exponent * tf.math.log(tf.maximum(pixels, _BLACK)))
    if settings.contrast or settings.brightness:
        factor = 1 + settings.contrast * _each(numbers["contrast"])
        mean = tf.reduce_mean(pixels, axis=(1, 2, 3), keepdims=True)
        offset = (1 - factor) * mean + settings.brightness * _each(numbers["brightness"])
        pixels = tf.clip_by_value(factor * pixels + offset, 0.0, 1.0)
    return pixels


def add_noise(
    pixels: tf.Tensor, numbers: Mapping[str, tf.Tensor], settings: AugmentationSettings
) -> tf.Tensor:
    """Adds Gaussian noise, another standard deviation to each image.

    Its values are cut out of one sheet of noise, each image's from a place of its own: drawing
    as many for each costs more than all that is done to the image.

    Args:
        pixels: [N, height, width, 1] float32 in [0, 1].
        numbers: by name, [N] float32 in [-1, 1).
        settings: how far.

    Returns:
        As ``pixels``.
    """
    if not settings.noise:
        return pixels
    height, width = pixels.shape[1], pixels.shape[2]
    sheet = np.random.default_rng(0).standard_normal((_NOISE_ROWS, width), np.float32)
    place = (numbers["noise_place"] + 1) / 2 * (_NOISE_ROWS - height)
    rows = tf.cast(place, tf.int32)[:, tf.newaxis] + tf.range(height)
    # The number's sign turns the noise over.
    deviation = settings.noise * _each(numbers["noise"])
    noisy = pixels + deviation * tf.gather(tf.constant(sheet), rows)[..., tf.newaxis]
    return tf.clip_by_value(noisy, 0.0, 1.0)


def _each(number: tf.Tensor) -> tf.Tensor:
    return tf.reshape(number, (-1, 1, 1, 1))
