"""Zoom, shear, flip, rotation, shift, crop: one affine map, an image is interpolated once."""

import math
from collections.abc import Mapping

import tensorflow as tf

from trainer_module.settings.augmentation import AugmentationSettings


def affine(
    numbers: Mapping[str, tf.Tensor], size: int, settings: AugmentationSettings
) -> tf.Tensor:
    """Makes maps from output to input pixels about the image's centre.

    The crop comes last. Its area is uniform, the logarithm of its aspect too, and its place within
    the image, as in Szegedy et al., "Going Deeper with Convolutions" (2015), section 6; a side
    that would be longer than the image is the image's.

    Args:
        numbers: by name, [N] float32 in [-1, 1).
        size: side of the image, in pixels.
        settings: how far.

    Returns:
        [N, 8] float32, the transform vectors (a0, a1, a2, b0, b1, b2, c0, c1) of
        ``tf.raw_ops.ImageProjectiveTransformV3``.
    """
    mirror = tf.where(tf.logical_and(settings.flip, numbers["flip"] > 0), -1.0, 1.0)
    scale_x = mirror * (1.0 + settings.zoom * numbers["zoom_x"])
    scale_y = 1.0 + settings.zoom * numbers["zoom_y"]
    slant = settings.shear * numbers["shear"]
    angle = math.radians(settings.rotation) * numbers["rotation"]
    cosine, sine = tf.cos(angle), tf.sin(angle)
    # Scale and shear, of an image that was turned.
    a0, a1 = scale_x * cosine + slant * sine, slant * cosine - scale_x * sine
    b0, b1 = scale_y * sine, scale_y * cosine
    centre = (size - 1) / 2
    shift = settings.shift * size
    move_x, move_y = shift * numbers["shift_x"], shift * numbers["shift_y"]
    if settings.crop:
        width, height = _sides(numbers, settings)
        right = (1 - width) * size / 2 * numbers["crop_x"]
        down = (1 - height) * size / 2 * numbers["crop_y"]
        move_x, move_y = move_x + a0 * right + a1 * down, move_y + b0 * right + b1 * down
        a0, a1, b0, b1 = a0 * width, a1 * height, b0 * width, b1 * height
    a2 = centre * (1 - a0 - a1) + move_x
    b2 = centre * (1 - b0 - b1) + move_y
    nothing = tf.zeros_like(a0)
    return tf.stack([a0, a1, a2, b0, b1, b2, nothing, nothing], axis=1)


def _sides(
    numbers: Mapping[str, tf.Tensor], settings: AugmentationSettings
) -> tuple[tf.Tensor, tf.Tensor]:
    """Width and height of the crops as fractions of the image's, [N] float32 each."""
    area = 1 - settings.crop * (numbers["crop_area"] + 1) / 2
    aspect = tf.exp(math.log1p(settings.crop_aspect) * numbers["crop_aspect"])
    return tf.minimum(tf.sqrt(area * aspect), 1.0), tf.minimum(tf.sqrt(area / aspect), 1.0)


def warp(pixels: tf.Tensor, affine: tf.Tensor) -> tf.Tensor:
    """Applies a map to each image; what comes from outside repeats the edge.

    Args:
        pixels: [N, size, size, 1] float32.
        affine: [N, 8] float32, see `affine`.

    Returns:
        [N, size, size, 1] float32, bilinear.
    """
    warped = tf.raw_ops.ImageProjectiveTransformV3(
        images=pixels,
        transforms=affine,
        output_shape=tf.shape(pixels)[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )
    return tf.ensure_shape(warped, pixels.shape)
