"""An image's grey levels, spread over all that there are. Each runs eagerly and in graphs."""

from typing import Final

import tensorflow as tf

_LEVELS = 256

LOWEST_SHARE: Final = 0.01
"""Share of the pixels that `stretch` makes black, and of those that it makes white."""


def stretch(pixels: tf.Tensor) -> tf.Tensor:
    """Maps the range from the 1st to the 99th percentile to 0 to 255, linearly.

    A marker or a shutter of a few pixels does not decide the range, as the extremes would let it.

    Args:
        pixels: [height, width, 1] uint8.

    Returns:
        As ``pixels``; unchanged where both percentiles are the same.
    """
    ordered = tf.sort(tf.cast(tf.reshape(pixels, [-1]), tf.float32))
    last = tf.cast(tf.size(ordered) - 1, tf.float32)
    low = ordered[tf.cast(tf.floor(LOWEST_SHARE * last), tf.int32)]
    high = ordered[tf.cast(tf.math.ceil((1 - LOWEST_SHARE) * last), tf.int32)]
    share = tf.math.divide_no_nan(tf.cast(pixels, tf.float32) - low, high - low)
    stretched = tf.cast(tf.round(tf.clip_by_value(share, 0.0, 1.0) * (_LEVELS - 1)), tf.uint8)
    return tf.where(high > low, stretched, pixels)


def equalize(pixels: tf.Tensor) -> tf.Tensor:
    """Equalizes the histogram, by the distribution of the levels that the image has.

    Source: Gonzalez and Woods, "Digital Image Processing", 4th edition (2018), section 3.3; as in
    OpenCV's ``equalizeHist`` the lowest level becomes 0.

    Args:
        pixels: [height, width, 1] uint8.

    Returns:
        As ``pixels``; unchanged where there is one level alone.
    """
    levels = tf.cast(pixels, tf.int32)
    counts = tf.math.bincount(tf.reshape(levels, [-1]), minlength=_LEVELS, maxlength=_LEVELS)
    below = tf.cumsum(counts)
    lowest = tf.gather(counts, tf.reduce_min(levels))
    others = tf.size(levels) - lowest
    share = tf.math.divide_no_nan(tf.cast(below - lowest, tf.float32), tf.cast(others, tf.float32))
    # Of the levels that no pixel has some come out negative.
    table = tf.cast(tf.round(tf.maximum(share, 0.0) * (_LEVELS - 1)), tf.uint8)
    return tf.where(others > 0, tf.gather(table, levels), pixels)
