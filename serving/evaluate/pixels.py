"""An image's pixels, decoded as the model decodes them."""

import functools
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydantic import ValidationError

from transform_module.errors import UserError, first_mistake
from transform_module.images.measures import measure
from transform_module.settings import TransformSettings


def grey(content: bytes, transform: TransformSettings | None = None) -> np.ndarray | None:
    """Decodes an image.

    Args:
        content: encoded, as the model takes it.
        transform: what makes of it the image that the model sees; None leaves it as it is.

    Returns:
        [H, W] uint8; None of what cannot be decoded.
    """
    decode, refusal = _decoder(transform)
    try:
        return decode(content).numpy()[..., 0]
    except refusal:
        return None


def transform_of(version: str | Path, record: Mapping[str, Any]) -> TransformSettings:
    """Reads what makes of an image the one that a model sees.

    Args:
        version: the model's folder, for the message.
        record: its own record.

    Raises:
        UserError: a later release made the model.
    """
    try:
        return TransformSettings.model_validate(record.get("transform", {}))
    except ValidationError as error:
        raise UserError(
            f"{version} was made with a transform that is not known here "
            f"({first_mistake(error)}). Evaluate it with the release that made it."
        ) from error


def describe(content: bytes, transform: TransformSettings) -> dict[str, Any]:
    """Returns what an image is besides what it shows.

    Args:
        content: encoded, as the model takes it.
        transform: the model's, so that what is measured compares with what it was trained on.

    Returns:
        ``width``, ``height``, ``mode`` and all `MEASURES`; nothing of what cannot be decoded here,
        though a model may.
    """
    pixels = grey(content, transform)
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
def _decoder(transform: TransformSettings | None) -> tuple[Callable[[bytes], Any], type[Exception]]:
    import tensorflow as tf

    from transform_module.images.image_ops import decode_grey, standardize

    def decode(content: tf.Tensor) -> tf.Tensor:
        pixels = decode_grey(content)
        return standardize(pixels, transform) if transform else pixels

    # AutoGraph finds no `tf` in the annotations of a function within a function, and says so.
    graph = tf.function(decode, input_signature=[tf.TensorSpec((), tf.string)], autograph=False)
    return graph, tf.errors.OpError
