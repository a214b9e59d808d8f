"""Cutout: a part of the image is covered."""

from collections.abc import Mapping

import tensorflow as tf

from trainer_module.settings.augmentation import AugmentationSettings


def cut_out(
    pixels: tf.Tensor, numbers: Mapping[str, tf.Tensor], settings: AugmentationSettings
) -> tf.Tensor:
    """Covers a square anywhere in each image with the image's mean.

    Source: DeVries and Taylor, "Improved Regularization of Convolutional Neural Networks with
    Cutout" (2017). Here the side differs from image to image.

    Args:
        pixels: [N, size, size, 1] float32 in [0, 1].
        numbers: by name, [N] float32 in [-1, 1).
        settings: the longest side of the square, as a fraction of the image's.

    Returns:
        As ``pixels``.
    """
    if not settings.cutout:
        return pixels
    size = pixels.shape[1]
    half = settings.cutout * size / 2 * (numbers["cutout"] + 1) / 2

    def within(number: tf.Tensor) -> tf.Tensor:
        centre = half + (number + 1) / 2 * (size - 2 * half)
        distance = tf.range(size, dtype=tf.float32) + 0.5 - centre[:, tf.newaxis]
        return tf.abs(distance) < half[:, tf.newaxis]

    rows, columns = within(numbers["cutout_y"]), within(numbers["cutout_x"])
    covered = rows[:, :, tf.newaxis, tf.newaxis] & columns[:, tf.newaxis, :, tf.newaxis]
    mean = tf.reduce_mean(pixels, axis=(1, 2, 3), keepdims=True)
    return tf.where(covered, mean, pixels)
