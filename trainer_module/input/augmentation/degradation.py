"""Blur and JPEG, on a share of the images."""

from collections.abc import Callable, Mapping
from typing import Final

import tensorflow as tf

from trainer_module.settings.augmentation import AugmentationSettings

# A Gaussian has 99.7 % of its weight within this many standard deviations.
_REACH: Final = 3

_BEST_QUALITY: Final = 95


def blur(
    pixels: tf.Tensor, numbers: Mapping[str, tf.Tensor], settings: AugmentationSettings
) -> tf.Tensor:
    """Blurs some of the images with a Gaussian, whose edges repeat the image's.

    Args:
        pixels: [N, height, width, 1] float32 in [0, 1].
        numbers: by name, [N] float32 in [-1, 1).
        settings: the greatest standard deviation in pixels, and the share of the images.

    Returns:
        As ``pixels``.
    """
    if not settings.blur:
        return pixels
    reach = max(1, round(_REACH * settings.blur))
    offsets = tf.range(-reach, reach + 1, dtype=tf.float32)

    def blurred(some: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
        # Of a deviation of 0 only the middle is left, and no number is divided by 0.
        deviation = tf.maximum(settings.blur * (number + 1) / 2, 1e-3)
        weights = tf.nn.softmax(-0.5 * (offsets[:, tf.newaxis] / deviation) ** 2, axis=0)
        # The images become channels, so that each has a kernel of its own.
        x = tf.transpose(some, (3, 1, 2, 0))
        x = tf.pad(x, [[0, 0], [reach, reach], [reach, reach], [0, 0]], "SYMMETRIC")
        for axis in (0, 1):
            kernel = tf.expand_dims(tf.expand_dims(weights, 1 - axis), -1)
            x = tf.nn.depthwise_conv2d(x, kernel, [1, 1, 1, 1], "VALID")
        return tf.transpose(x, (3, 1, 2, 0))

    return _on_some(pixels, numbers["blur_chosen"], numbers["blur"], settings.share, blurred)


def compress(
    pixels: tf.Tensor, numbers: Mapping[str, tf.Tensor], settings: AugmentationSettings
) -> tf.Tensor:
    """Compresses some of the images as JPEG.

    Args:
        pixels: [N, height, width, 1] float32 in [0, 1].
        numbers: by name, [N] float32 in [-1, 1).
        settings: the lowest quality, and the share of the images.

    Returns:
        As ``pixels``; what was compressed has 256 grey levels.
    """
    if not settings.jpeg_quality:
        return pixels

    def compressed(some: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
        lowest = settings.jpeg_quality
        quality = tf.cast(lowest + (number + 1) / 2 * (_BEST_QUALITY - lowest), tf.int32)
        levels = tf.cast(tf.round(some * 255), tf.uint8)

        def one(image: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
            encoded = tf.raw_ops.EncodeJpegVariableQuality(images=image[0], quality=image[1])
            return tf.io.decode_jpeg(encoded, channels=1)

        return (
            tf.cast(tf.map_fn(one, (levels, quality), fn_output_signature=tf.uint8), tf.float32)
            / 255
        )

    return _on_some(
        pixels, numbers["jpeg_chosen"], numbers["jpeg_quality"], settings.share, compressed
    )


def _on_some(
    pixels: tf.Tensor,
    chosen: tf.Tensor,
    number: tf.Tensor,
    share: float,
    change: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
) -> tf.Tensor:
    """Changes the images whose `chosen`, in [-1, 1), is among the lowest `share`."""
    rows = tf.where(chosen < 2 * share - 1)

    def changed() -> tf.Tensor:
        some = change(tf.gather(pixels, rows[:, 0]), tf.gather(number, rows[:, 0]))
        return tf.tensor_scatter_nd_update(pixels, rows, some)

    # A convolution of no images is an error.
    return tf.ensure_shape(tf.cond(tf.size(rows) > 0, changed, lambda: pixels), pixels.shape)
