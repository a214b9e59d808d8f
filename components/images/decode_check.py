"""Whether bytes are a picture that the model can be shown, and in words why not.

A picture passes when TensorFlow decodes it, exactly as the model will, and Pillow, an independent
decoder, sees the same grey pixels.
"""

import functools
import io
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from PIL import BmpImagePlugin, GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin

from components.images import other_formats
from transform_module.features import MAXIMUM_PIXELS, MINIMUM_SIDE

MAXIMUM_DIFFERENCE: Final = 8.0
"""Largest mean absolute difference between both decoders, in grey levels of 255.

Both build on libjpeg-turbo, TensorFlow with its fast cosine transform by default: measured on 1,779
real X-rays they differ by 0.56 at most, at JPEG quality 100 with noise of 40 grey levels added by
5.8, in the lossless formats by 0.001. A wrong palette or byte order differs by tens.
"""

_log = logging.getLogger(__name__)

# The plugins are called directly: Image.open would ask each plugin in turn, and answers a large
# picture with a warning or an error in place of its size.
_PICTURES: dict[str, tuple[bytes, Callable[[io.BytesIO], Image.Image]]] = {
    "jpeg": (b"\xff\xd8\xff", JpegImagePlugin.JpegImageFile),
    "png": (b"\x89PNG\r\n\x1a\n", PngImagePlugin.PngImageFile),
    "gif": (b"GIF8", GifImagePlugin.GifImageFile),
    "bmp": (b"BM", BmpImagePlugin.BmpImageFile),
}

_ENDINGS = {"jpeg": b"\xff\xd9", "png": b"IEND\xaeB`\x82", "gif": b"\0;"}


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a picture that passed is.

    Attributes:
        format: ``jpeg``, ``png``, ``bmp`` or ``gif``, told by the content and not by a name.
        width: in pixels.
        height: in pixels.
    """

    format: str
    width: int
    height: int


def check(data: bytes) -> Decoded | str:
    """Decodes a picture with both decoders.

    Args:
        data: the content of a file; anything.

    Returns:
        What it is, or why it is refused: a few words, then often a colon and the particulars.
        Never raises for what the bytes are.
    """
    if not data:
        return "empty file"
    form = next((name for name, (magic, _) in _PICTURES.items() if data.startswith(magic)), None)
    if form is None:
        return other_formats.describe(data)
    try:
        picture = _PICTURES[form][1](io.BytesIO(data))
        frames = getattr(picture, "n_frames", 1)
    except Exception as error:  # noqa: BLE001 - plugins raise many kinds on damaged headers
        _log.debug("Pillow on a header: %s", error)
        return _damaged(form, data)
    width, height = picture.size
    pixels = width * height * frames
    if min(width, height) < MINIMUM_SIDE:
        return f"too small: {width}x{height} pixels, the least side is {MINIMUM_SIDE}"
    if pixels > MAXIMUM_PIXELS:
        # TensorFlow decodes every frame of an animation before it keeps the first.
        return (
            f"too large: {width}x{height}{f' in {frames} frames' if frames > 1 else ''} are "
            f"{pixels / 1e6:,.1f} million pixels, the limit is {MAXIMUM_PIXELS / 1e6:,.0f}"
        )
    try:
        seen_by_pillow = _grey(picture)
    except Exception as error:  # noqa: BLE001 - plugins raise many kinds on damaged pixels
        _log.debug("Pillow on pixels: %s", error)
        return _damaged(form, data)
    seen_by_model = _decode_as_the_model(data)
    if seen_by_model is None:
        if _is_cut_short(form, data):
            return _damaged(form, data)
        return f"{form.upper()} that TensorFlow cannot decode: save it anew, as PNG"
    if seen_by_model.shape != seen_by_pillow.shape:
        return f"{form.upper()} read in two ways: TensorFlow and Pillow differ in its size"
    if _mean_difference(seen_by_model, seen_by_pillow) > MAXIMUM_DIFFERENCE:
        return f"{form.upper()} read in two ways: TensorFlow and Pillow see different pixels"
    return Decoded(form, width, height)


def _is_cut_short(form: str, data: bytes) -> bool:
    if form == "bmp":
        return int.from_bytes(data[2:6], "little") > len(data)
    return _ENDINGS[form] not in data[-32:]


def _damaged(form: str, data: bytes) -> str:
    return f"{'truncated' if _is_cut_short(form, data) else 'damaged'} {form.upper()}"


@functools.cache
def _model_decoder() -> tuple[Any, Any]:
    import tensorflow as tf

    from transform_module.image_ops import decode_grey

    signature = [tf.TensorSpec((), tf.string)]
    return tf.function(decode_grey, input_signature=signature), tf.errors.OpError


def _decode_as_the_model(data: bytes) -> np.ndarray | None:
    decode, refusal = _model_decoder()
    try:
        return decode(data).numpy()[..., 0]
    except refusal as error:
        _log.debug("TensorFlow: %s", error)
        return None


def _grey(picture: Image.Image) -> np.ndarray:
    """Decodes by Pillow what TensorFlow's rules say: no alpha, high bytes, the first frame."""
    if picture.format == "JPEG" and picture.mode != "CMYK":
        # The luma that the file holds, without a way through RGB and back.
        picture.draft("L", picture.size)
    picture.load()
    if picture.mode.startswith("I;16"):
        return (np.asarray(picture) >> 8).astype(np.uint8)
    if picture.mode in ("P", "PA", "CMYK", "RGBA"):
        picture = picture.convert("RGB")
    return np.asarray(picture.convert("L"))


def _mean_difference(one: np.ndarray, other: np.ndarray) -> float:
    difference = np.maximum(one, other) - np.minimum(one, other)
    return float(difference.mean(dtype=np.float64))
