"""Checks whether bytes are an image that the model can decode, and says why not.

An image passes when TensorFlow decodes it, exactly as the model will, and Pillow, an independent
decoder, sees the same grey pixels, the same side up. JPEGs with arithmetic coding, which Pillow is
often built without, pass by TensorFlow alone, as they do in serving.
"""

import functools
import io
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
)

from serving.images import other_formats, reasons
from serving.images.encoding import turns
from transform_module.images.used_bits import used_bits

MAXIMUM_DIFFERENCE: Final = 8.0
"""Largest mean absolute difference between both decoders, in grey levels of 255.

Both build on libjpeg-turbo, TensorFlow with its fast cosine transform by default: measured on 1,779
real X-rays they differ by 0.56 at most, at JPEG quality 100 with noise of 40 grey levels added by
5.8, in the lossless formats by 0.001. A wrong palette or byte order differs by tens.
"""

_LOG = logging.getLogger(__name__)

# The plugins are called directly: Image.open would try each plugin in turn, and reports a large
# image with a warning or an error in place of its size.
_IMAGES: dict[str, tuple[bytes, Callable[[io.BytesIO], Image.Image]]] = {
    "jpeg": (b"\xff\xd8\xff", JpegImagePlugin.JpegImageFile),
    "png": (b"\x89PNG\r\n\x1a\n", PngImagePlugin.PngImageFile),
    "gif": (b"GIF8", GifImagePlugin.GifImageFile),
    "bmp": (b"BM", BmpImagePlugin.BmpImageFile),
}

_ENDINGS = {"jpeg": b"\xff\xd9", "png": b"IEND\xaeB`\x82", "gif": b"\0;"}


_PNG_COLOURS = {2: "RGB", 3: "palette", 4: "grey with alpha", 6: "RGB with alpha"}
_COLOURS = {"1": "grey", "L": "grey", "P": "palette", "CMYK": "CMYK", "RGBA": "RGB with alpha"}


@dataclass(frozen=True, slots=True)
class Decoded:
    """What an image that passed is.

    Attributes:
        format: ``jpeg``, ``png``, ``bmp`` or ``gif``, by the content and not by a name.
        width: in pixels, upright.
        height: in pixels, upright.
        orientation: as its EXIF data say, 1 to 8; 1 is upright.
        unused_bits: the high bits that none of its 16-bit samples uses.
        bits: of each sample, or of each index of a palette, as the file stores it.
        colours: ``grey``, ``RGB``, ``palette``, ``CMYK``, or one of the first two ``with alpha``.
    """

    format: str
    width: int
    height: int
    orientation: int = 1
    unused_bits: int = 0
    bits: int = 8
    colours: str = "grey"


@dataclass(frozen=True, slots=True)
class _Seen:
    """An image as Pillow decodes it: [H, W] uint8 pixels, orientation, and the unused bits."""

    pixels: np.ndarray
    orientation: int
    unused_bits: int


def check(data: bytes) -> Decoded | str:
    """Decodes an image with both decoders.

    Args:
        data: the content of a file; anything.

    Returns:
        What it is, or why it is refused: a few words, then often a colon and the particulars.
        Never raises for what the bytes are.
    """
    found = decode(data)
    return found if isinstance(found, str) else found[0]


def decode(data: bytes) -> tuple[Decoded, np.ndarray] | str:
    """Decodes an image with both decoders.

    Args:
        data: see `check`.

    Returns:
        What it is, with its pixels as the model gets them, [H, W] uint8; or as `check`.
    """
    if not data:
        return "empty file"
    form = next((name for name, (magic, _) in _IMAGES.items() if data.startswith(magic)), None)
    if form is None:
        return other_formats.describe(data)
    try:
        image = _IMAGES[form][1](io.BytesIO(data))
        frames = getattr(image, "n_frames", 1)
    except Exception as error:  # noqa: BLE001 - plugins raise many kinds on damaged headers
        _LOG.debug("Pillow on a header: %s", error)
        return _damaged(form, data)
    width, height = image.size
    # TensorFlow decodes every frame of an animation before it keeps the first.
    if reason := reasons.size(width, height, frames):
        return reason
    if image.mode == "CMYK" and "adobe" not in image.info:
        return "CMYK JPEG without an Adobe marker: save it anew, as grey PNG"
    bits, colours = _samples(image, data)
    try:
        seen_by_pillow = _seen(image, data)
    except Exception as error:  # noqa: BLE001 - plugins raise many kinds on damaged pixels
        _LOG.debug("Pillow on pixels: %s", error)
        if not (form == "jpeg" and _has_arithmetic_coding(data)):
            return _damaged(form, data)
        seen_by_pillow = None
    seen_by_model = _decode_as_the_model(data)
    if seen_by_model is None:
        if seen_by_pillow is None or _is_cut_short(form, data):
            return _damaged(form, data)
        return f"{form.upper()} that TensorFlow cannot decode: save it anew, as PNG"
    height, width = seen_by_model.shape
    if seen_by_pillow is None:
        found = Decoded(form, width, height, bits=bits, colours=colours)
        return found, seen_by_model
    if seen_by_model.shape != seen_by_pillow.pixels.shape:
        return f"{form.upper()} read in two ways: TensorFlow and Pillow differ in its size"
    if _mean_difference(seen_by_model, seen_by_pillow.pixels) > MAXIMUM_DIFFERENCE:
        return f"{form.upper()} read in two ways: TensorFlow and Pillow see different pixels"
    orientation, unused_bits = seen_by_pillow.orientation, seen_by_pillow.unused_bits
    found = Decoded(form, width, height, orientation, unused_bits, bits, colours)
    return found, seen_by_model


def _samples(image: Image.Image, data: bytes) -> tuple[int, str]:
    """Returns the bits of each sample and the colours, by the header; see `Decoded`."""
    if image.format == "PNG":
        # Pillow's mode of a PNG depends on what it can decode to (PNG, section 11.2.1).
        return data[24], _PNG_COLOURS.get(data[25], "grey")
    return (1 if image.mode == "1" else 8), _COLOURS.get(image.mode, "RGB")


def _is_cut_short(form: str, data: bytes) -> bool:
    if form == "bmp":
        return int.from_bytes(data[2:6], "little") > len(data)
    return _ENDINGS[form] not in data[-32:]


def _damaged(form: str, data: bytes) -> str:
    return f"{'truncated' if _is_cut_short(form, data) else 'damaged'} {form.upper()}"


@functools.cache
def _model_decoder() -> tuple[Any, Any]:
    import tensorflow as tf

    from transform_module.images.image_ops import decode_grey

    signature = [tf.TensorSpec((), tf.string)]
    return tf.function(decode_grey, input_signature=signature), tf.errors.OpError


def _decode_as_the_model(data: bytes) -> np.ndarray | None:
    decode, refusal = _model_decoder()
    try:
        return decode(data).numpy()[..., 0]
    except refusal as error:
        _LOG.debug("TensorFlow: %s", error)
        return None


def _has_arithmetic_coding(data: bytes) -> bool:
    """Whether a JPEG's frame header is SOF9 to SOF15 (T.81, table B.1), by its segments."""
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        code = data[position + 1]
        if 0xC0 <= code <= 0xCF and code not in (0xC4, 0xC8, 0xCC):
            return code > 0xC8
        if code == 0xDA:
            break
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return False


def _seen(image: Image.Image, data: bytes) -> _Seen:
    """Decodes by Pillow as TensorFlow's rules say: no alpha, the first frame, upright."""
    if image.format == "JPEG" and image.mode != "CMYK":
        # The luma that the file holds, without a way through RGB and back.
        image.draft("L", image.size)
    image.load()
    orientation = turns.orientation(image)
    turned = turns.upright(image, orientation)
    unused_bits = 0
    if turned.mode.startswith("I;16"):
        levels = np.asarray(turned)
        # Before it was turned: that is how the model's decoder counts.
        unused_bits = 16 - used_bits(np.asarray(image))
        pixels = np.minimum(levels >> (8 - unused_bits), 255).astype(np.uint8)
        return _Seen(pixels, orientation, unused_bits)
    if turned.mode in ("P", "PA", "CMYK", "RGBA"):
        turned = turned.convert("RGB")
    grey = np.asarray(turned.convert("L"))
    if image.format == "PNG" and data[24] == 16:
        # Of 16-bit colours Pillow keeps the high bytes; how many bits are used says TensorFlow.
        unused_bits = 16 - _bits_by_the_model(data)
        if unused_bits:
            # Both can only be compared by the few high bits that Pillow has kept.
            seen = _decode_as_the_model(data)
            if seen is not None and _mean_difference(seen >> unused_bits, grey) <= 1:
                grey = seen
    return _Seen(grey, orientation, unused_bits)


@functools.cache
def _bits_decoder() -> Any:
    import tensorflow as tf

    from transform_module.images.depth import decode_png_of_16_bits

    return tf.function(
        lambda data: decode_png_of_16_bits(data)[1],
        input_signature=[tf.TensorSpec((), tf.string)],
        autograph=False,
    )


def _bits_by_the_model(data: bytes) -> int:
    return int(_bits_decoder()(data))


def _mean_difference(one: np.ndarray, other: np.ndarray) -> float:
    difference = np.maximum(one, other) - np.minimum(one, other)
    return float(difference.mean(dtype=np.float64))
