"""The grey levels of PNGs with 16 bits a sample, of which often fewer are used.

Detectors have 10 to 14 bits, and programs store them, or even 8, in 16 without a word about it.
By the high byte alone 12 bits would be 16 nearly black levels, and 8 bits nothing at all.
"""

from typing import Final

import tensorflow as tf

from transform_module.images.orientation import rarely

DEPTHS: Final = (8, 10, 12, 14, 16)
"""The bits that samples are taken to have: the fewest that all but `BRIGHTEST` of them need.

A whole number of bits, and not the highest sample, decides the scale, so that an image of all 16
bits stays as it is.
"""

BRIGHTEST: Final = 0.01
"""Share of the samples that decide nothing, and are white where they are beyond the scale.

One broken pixel of a detector, or letters that a program burnt in at full scale, would leave an
image of 12 bits 16 nearly black levels. Letters are white by any scale. In 150 of the public
X-rays, what is nearly white covers 0.02 % of nine tenths of the images and 0.9 % at the most, and
the brightest hundredth of the samples begins at 0.85 of the highest one: where that lies beyond the
scale, little is lost.
"""

GRID: Final = 512
"""Rows and columns, about, in which the samples are counted."""


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
