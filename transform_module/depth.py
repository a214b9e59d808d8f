"""The grey levels of PNGs with 16 bits a sample, of which often fewer are used.

Detectors have 10 to 14 bits, and programs store them, or even 8, in 16 without a word about it.
By the high byte alone 12 bits would be 16 nearly black levels, and 8 bits nothing at all.
"""

from typing import Final

import tensorflow as tf

from transform_module.orientation import rarely

_DEPTHS: Final = (8, 10, 12, 14, 16)
"""The bits that samples are taken to have: the fewest that the image's highest one needs.

A whole number of bits, and not the highest sample, decides the scale, so that an image of all 16
bits stays as it is, and one bright marker changes a scale at most by a power of two.
"""


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
    # An odd number of channels has no alpha.
    highest = tf.cast(tf.reduce_max(samples[..., : channels - 1 + channels % 2]), tf.int32)
    too_few = tf.cast(highest >= [1 << bits for bits in _DEPTHS[:-1]], tf.int32)
    bits = tf.gather(_DEPTHS, tf.reduce_sum(too_few))
    shifted = tf.bitwise.right_shift(samples, tf.cast(bits - _DEPTHS[0], tf.uint16))
    return tf.cast(shifted, tf.uint8), bits
