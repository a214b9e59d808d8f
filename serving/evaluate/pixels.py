"""A picture's pixels, decoded as the model decodes them."""

import functools
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from transform_module.measures import measure


def grey(content: bytes, *, as_the_model_sees: bool = False) -> np.ndarray | None:
    """Decodes a picture.

    Args:
        content: encoded, as the model takes it.
        as_the_model_sees: whether to resize it, too.

    Returns:
        [H, W] uint8; None of what cannot be decoded.
    """
    decode, refusal = _decoder(as_the_model_sees)
    try:
        return decode(content).numpy()[..., 0]
    except refusal:
        return None


def describe(content: bytes) -> dict[str, Any]:
    """Tells what a picture is besides what it shows.

    Args:
        content: encoded, as the model takes it.

    Returns:
        ``width``, ``height``, ``mode`` and all `MEASURES`; nothing of what cannot be decoded here,
        though a model may.
    """
    pixels = grey(content, as_the_model_sees=True)
    if pixels is None:
        return {}
    try:
        with Image.open(io.BytesIO(content)) as opened:
            width, height = opened.size
            mode = opened.mode
    except (OSError, ValueError):
        return {}
    return {"width": width, "height": height, "mode": mode, **measure(pixels)}


def as_png(pixels: np.ndarray) -> bytes:
    """Encodes [H, W] uint8 without loss, quickly rather than small."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


@functools.cache
def _decoder(standard: bool) -> tuple[Callable[[bytes], Any], type[Exception]]:
    import tensorflow as tf

    from transform_module.image_ops import decode_grey, standardize

    @tf.function(input_signature=[tf.TensorSpec((), tf.string)])
    def decode(content: tf.Tensor) -> tf.Tensor:
        pixels = decode_grey(content)
        return standardize(pixels) if standard else pixels

    return decode, tf.errors.OpError
