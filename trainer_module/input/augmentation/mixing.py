"""Mixup: two images and their labels in one."""

from typing import Final

import tensorflow as tf

# Sets the seed of an image's share apart from that of its other changes.
_SHARE: Final = 1


def draw_share(seed: tf.Tensor, alpha: float) -> tf.Tensor:
    """Draws how much of an image is left when it is mixed with another.

    Args:
        seed: [2] int64.
        alpha: of the distribution Beta(alpha, alpha), above 0.

    Returns:
        Scalar float32 in [0.5, 1]: the greater of the two shares, so that the image stays the
        main one of its mixture.
    """
    key = tf.random.experimental.stateless_fold_in(tf.cast(seed, tf.int32), _SHARE)
    first, second = tf.unstack(tf.random.stateless_gamma([2], key, alpha))
    share = tf.math.divide_no_nan(first, first + second)
    return tf.maximum(share, 1 - share)


def mix(share: tf.Tensor, one: tf.Tensor, other: tf.Tensor) -> tf.Tensor:
    """Mixes two batches, of images, labels or weights, by the share of the first [N] float32.

    Source: Zhang et al., "mixup: Beyond Empirical Risk Minimization" (2018).
    """
    share = tf.reshape(share, tf.concat([tf.shape(share), [1] * (one.shape.rank - 1)], axis=0))
    return share * one + (1 - share) * other
