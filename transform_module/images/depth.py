"""The grey levels of PNGs with 16 bits a sample, of which often fewer are used.

Detectors have 10 to 14 bits, and programs store them, or even 8, in 16 without a word about it.
By the high byte alone 12 bits would be 16 nearly black levels, and 8 bits nothing at all.
"""

import tensorflow as tf

from transform_module.images.orientation import rarely
from transform_module.images.used_bits import BRIGHTEST, DEPTHS, GRID


@rarely
def decode_png_of_16_bits(image_bytes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Decodes a PNG of 16 bits a sample to the 8 highest bits that it uses.

    Args:
        image_bytes: scalar string.

    Returns:
        [height, width, channels] uint8, alpha where there is one as undefined values; and the bits
        that are used, scalar int32: 8, 10, 12, 14 or 16.
    """
    samples = tf.io.decode_png(image_bytes, channels=0, dtype=tf.uint16)
    channels = tf.shape(samples)[-1]
    step = tf.maximum(tf.reduce_min(tf.shape(samples)[:2]) // GRID, 1)
    # An odd number of channels has no alpha.
    grid = tf.cast(samples[::step, ::step, : channels - 1 + channels % 2], tf.int32)
    largest = tf.cast(tf.size(grid), tf.float32) * BRIGHTEST
    too_few = [
        tf.math.count_nonzero(grid >= 1 << bits, dtype=tf.float32) > largest for bits in DEPTHS[:-1]
    ]
    bits = tf.gather(DEPTHS, tf.reduce_sum(tf.cast(too_few, tf.int32)))
    shifted = tf.bitwise.right_shift(samples, tf.cast(bits - DEPTHS[0], tf.uint16))
    return tf.cast(tf.minimum(shifted, 255), tf.uint8), bits
