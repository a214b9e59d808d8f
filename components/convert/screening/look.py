"""Figures of an image's appearance that say nothing about lungs."""

import functools
from typing import Any

from transform_module.images.measures import measure


def look(data: bytes) -> dict[str, float]:
    """Measures an image at the model's size.

    Args:
        data: an image that `decode_check.check` lets pass.

    Returns:
        See `transform_module.images.measures.measure`.
    """
    return measure(_pixels()(data).numpy()[..., 0])


@functools.cache
def _pixels() -> Any:
    import tensorflow as tf

    from transform_module.images.image_ops import decode_grey, standardize

    return tf.function(
        lambda encoded: standardize(decode_grey(encoded)),
        input_signature=[tf.TensorSpec((), tf.string)],
    )
