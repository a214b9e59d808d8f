"""Figures of an image's appearance that say nothing about lungs."""

import functools
from typing import Any

import numpy as np

from transform_module.images.measures import measure


def look(pixels: np.ndarray) -> dict[str, float]:
    """Measures an image at the model's size.

    Args:
        pixels: [H, W] uint8, as `decode_check.decode` returns them.

    Returns:
        See `transform_module.images.measures.measure`.
    """
    return measure(_standardized()(pixels).numpy()[..., 0])


@functools.cache
def _standardized() -> Any:
    import tensorflow as tf

    from transform_module.images.image_ops import standardize

    return tf.function(
        lambda pixels: standardize(pixels[..., tf.newaxis]),
        input_signature=[tf.TensorSpec((None, None), tf.uint8)],
    )
