"""An image's pixels, and its measures."""

import functools
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from transform_module.images.measures import measure


def grey(content: bytes) -> np.ndarray | None:
    """Decodes an image as every model decodes it, at its own size.

    Args:
        content: encoded, as the model takes it.

    Returns:
        [H, W] uint8; None of what cannot be decoded.
    """
    decode, refusal = _decoder()
    try:
        return decode(content).numpy()[..., 0]
    except refusal:
        return None


def describe(content: bytes, pixels: np.ndarray) -> dict[str, Any]:
    """Returns what an image is besides what it shows.

    Args:
        content: encoded, as the model takes it.
        pixels: [size, size, 1] uint8, as the model sees it, so that what is measured compares with
            what it was trained on; see `serving.model.Model.pixels`.

    Returns:
        ``width``, ``height``, ``mode`` and all `MEASURES`; nothing of what Pillow cannot read,
        though a model may.
    """
    try:
        with Image.open(io.BytesIO(content)) as opened:
            width, height = opened.size
            mode = opened.mode
    except (OSError, ValueError):
        return {}
    return {"width": width, "height": height, "mode": mode, **measure(pixels[..., 0])}


def as_png(pixels: np.ndarray) -> bytes:
    """Encodes [H, W] uint8 without loss and without compression: it is decoded at once."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=0)
    return file.getvalue()


@functools.cache
def _decoder() -> tuple[Callable[[bytes], Any], type[Exception]]:
    import tensorflow as tf

    from transform_module.images.image_ops import decode_grey

    return tf.function(
        decode_grey, input_signature=[tf.TensorSpec((), tf.string)]
    ), tf.errors.OpError
