"""Zoom, shear and flip of training pictures, in tf.data.

One affine map does all three, so that a picture is interpolated once. Each picture's map is drawn
from a seed of its own: the same epoch of the same training sees the same pictures, whatever the
batch size, the number of replicas, and whether the training was interrupted. It runs beside the
model, not in it: the train step stays free of image ops that do not compile under XLA.
"""

import tensorflow as tf

from trainer_module.settings import AugmentationSettings


def random_affine(seed: tf.Tensor, size: int, settings: AugmentationSettings) -> tf.Tensor:
    """Draws a map from output to input pixels about the picture's centre.

    Args:
        seed: [2] int64.
        size: side of the picture, in pixels.
        settings: how far.

    Returns:
        [8] float32, the transform vector (a0, a1, a2, b0, b1, b2, c0, c1) of
        ``tf.raw_ops.ImageProjectiveTransformV3``.
    """
    zoom_x, zoom_y, shear, flip = tf.unstack(
        tf.random.stateless_uniform([4], tf.cast(seed, tf.int32), minval=-1.0, maxval=1.0)
    )
    mirror = tf.where(tf.logical_and(settings.flip, flip > 0), -1.0, 1.0)
    scale_x = mirror * (1.0 + settings.zoom * zoom_x)
    scale_y = 1.0 + settings.zoom * zoom_y
    slant = settings.shear * shear
    centre = (size - 1) / 2
    return tf.stack(
        [
            scale_x,
            slant,
            centre * (1 - scale_x - slant),
            0.0,
            scale_y,
            centre * (1 - scale_y),
            0.0,
            0.0,
        ]
    )


def warp(pixels: tf.Tensor, affine: tf.Tensor) -> tf.Tensor:
    """Applies a map to each picture; what comes from outside repeats the edge.

    Args:
        pixels: [N, size, size, 1] float32.
        affine: [N, 8] float32, see `random_affine`.

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
