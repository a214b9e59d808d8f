"""Zoom, shear, flip, rotation, shift, crop, margins: one affine map, interpolated once."""

import math
from collections.abc import Iterator, Mapping

import tensorflow as tf

from trainer_module.settings.augmentation import AugmentationSettings


def affine(
    numbers: Mapping[str, tf.Tensor], size: int, settings: AugmentationSettings
) -> tf.Tensor:
    """Makes maps from output to input pixels about the image's centre.

    The crop comes last, but for the margins around it. Its area is uniform, the logarithm of its
    aspect too, and its place within the image, as in Szegedy et al., "Going Deeper with
    Convolutions" (2015), section 6; a side that would be longer than the image is the image's.

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
    for width, height, right, down in _windows(numbers, settings):
        right, down = right * size, down * size
        move_x, move_y = move_x + a0 * right + a1 * down, move_y + b0 * right + b1 * down
        a0, a1, b0, b1 = a0 * width, a1 * height, b0 * width, b1 * height
    a2 = centre * (1 - a0 - a1) + move_x
    b2 = centre * (1 - b0 - b1) + move_y
    nothing = tf.zeros_like(a0)
    return tf.stack([a0, a1, a2, b0, b1, b2, nothing, nothing], axis=1)


_Window = tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]


def _windows(numbers: Mapping[str, tf.Tensor], settings: AugmentationSettings) -> Iterator[_Window]:
    """Yields what is shown of an image, each within the one before.

    Width, height, and how far its centre is to the right and below, [N] float32 each, as fractions
    of the image's side.
    """
    if settings.crop:
        area = 1 - settings.crop * (numbers["crop_area"] + 1) / 2
        aspect = tf.exp(math.log1p(settings.crop_aspect) * numbers["crop_aspect"])
        width = tf.minimum(tf.sqrt(area * aspect), 1.0)
        height = tf.minimum(tf.sqrt(area / aspect), 1.0)
        yield (
            width,
            height,
            (1 - width) / 2 * numbers["crop_x"],
            (1 - height) / 2 * numbers["crop_y"],
        )
    if settings.margin:
        left, right, top, bottom = _margins(numbers, settings)
        yield 1 + left + right, 1 + top + bottom, (right - left) / 2, (bottom - top) / 2


def _margins(
    numbers: Mapping[str, tf.Tensor], settings: AugmentationSettings
) -> tuple[tf.Tensor, ...]:
    """Left, right, top and bottom margin as fractions of what they surround; half of them are 0."""
    sides = ("margin_left", "margin_right", "margin_top", "margin_bottom")
    return tuple(settings.margin * tf.nn.relu(numbers[side]) for side in sides)


def blacken_margins(
    pixels: tf.Tensor, numbers: Mapping[str, tf.Tensor], settings: AugmentationSettings
) -> tf.Tensor:
    """Makes the margins black that `affine` left around an image, as a collimator does.

    Args:
        pixels: [N, size, size, 1] float32, warped.
        numbers: by name, [N] float32 in [-1, 1).
        settings: how far.

    Returns:
        As ``pixels``.
    """
    if not settings.margin:
        return pixels
    left, right, top, bottom = _margins(numbers, settings)
    size = pixels.shape[1]
    places = (tf.range(size, dtype=tf.float32) + 0.5) / size

    def inside(before: tf.Tensor, after: tf.Tensor) -> tf.Tensor:
        at = places * (1 + before + after)[:, tf.newaxis] - before[:, tf.newaxis]
        return tf.cast(tf.logical_and(at >= 0, at <= 1), tf.float32)

    rows, columns = inside(top, bottom), inside(left, right)
    return pixels * rows[:, :, tf.newaxis, tf.newaxis] * columns[:, tf.newaxis, :, tf.newaxis]


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
