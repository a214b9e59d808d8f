"""Pixels of the formats that the transform graph does not decode, by Pillow and libheif.

Called in a process of its own only, see `isolation`.
"""

import io
from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import AvifImagePlugin, Image, Jpeg2KImagePlugin, TiffImagePlugin, WebPImagePlugin

from serving.images.encoding import turns
from serving.images.encoding.formats import AVIF, HEIC, JPEG_2000, TIFF, WEBP
from transform_module.images.used_bits import used_bits

_SEVERAL: Final = "it holds several images: save the one that is meant alone"
_SAVE_ANEW: Final = "save it anew, as grey of 8 or 16 bits"
_WHITE_IS_ZERO: Final = 0

# Alpha is dropped, as the transform graph drops it.
_MODES: Final = {
    **dict.fromkeys(("1", "L", "LA", "La"), "L"),
    **dict.fromkeys(("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "YCbCr"), "RGB"),
}


class UnsupportedError(Exception):
    """The image is whole, but none that is read; the message says why, in a few words."""


def decode(data: bytes, form: str) -> np.ndarray:
    """Decodes an image.

    Args:
        data: the content of a file.
        form: TIFF, WEBP, JPEG_2000, HEIC or AVIF.

    Returns:
        [H, W] uint8 or uint16, or [H, W, 3] uint8, upright. Colours of more than 8 bits keep the
        highest 8, but in a TIFF, where these may be nothing.

    Raises:
        UnsupportedError: it has several frames or pages, or samples that PNG has none for.
        Exception: of any kind, where the file is damaged.
    """
    return _DECODERS[form](data)


def _tiff(data: bytes) -> np.ndarray:
    image = TiffImagePlugin.TiffImageFile(io.BytesIO(data))
    # To count the pages, all would be read.
    if image.is_animated:
        raise UnsupportedError(_SEVERAL)
    bits = max(image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))
    if bits > 8 and image.mode != "I;16":
        raise UnsupportedError(f"{bits} bits a sample in mode {image.mode}: {_SAVE_ANEW}")
    pixels = _pixels(image)
    is_inverted = image.tag_v2.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == _WHITE_IS_ZERO
    if pixels.dtype == np.uint16 and is_inverted:
        # Pillow inverts up to 8 bits. White is the highest level of the bits that are used.
        white = (1 << used_bits(pixels)) - 1
        pixels = (white - np.minimum(pixels, white)).astype(np.uint16)
    return pixels


def _webp(data: bytes) -> np.ndarray:
    return _animated(WebPImagePlugin.WebPImageFile(io.BytesIO(data)))


def _avif(data: bytes) -> np.ndarray:
    return _animated(AvifImagePlugin.AvifImageFile(io.BytesIO(data)))


def _animated(image: WebPImagePlugin.WebPImageFile | AvifImagePlugin.AvifImageFile) -> np.ndarray:
    if image.n_frames > 1:
        raise UnsupportedError(_SEVERAL)
    image.load()
    return _pixels(turns.upright(image, turns.orientation(image)))


def _jpeg_2000(data: bytes) -> np.ndarray:
    return _pixels(Jpeg2KImagePlugin.Jpeg2KImageFile(io.BytesIO(data)))


def _heic(data: bytes) -> np.ndarray:
    import pi_heif

    # libheif turns images upright itself.
    found = pi_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
    if len(found) > 1:
        raise UnsupportedError(_SEVERAL)
    if found.mode.endswith(";16") and not found.mode.startswith("I"):
        found = pi_heif.open_heif(io.BytesIO(data))
    return _pixels(found.to_pillow())


def _pixels(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)
    if image.mode not in _MODES:
        raise UnsupportedError(f"mode {image.mode}: {_SAVE_ANEW}")
    pixels = np.asarray(image.convert(_MODES[image.mode]))
    is_grey = pixels.ndim == 3 and all(
        np.array_equal(pixels[..., 0], pixels[..., channel]) for channel in (1, 2)
    )
    return np.ascontiguousarray(pixels[..., 0]) if is_grey else pixels


_DECODERS: Final[dict[str, Callable[[bytes], np.ndarray]]] = {
    TIFF: _tiff,
    WEBP: _webp,
    JPEG_2000: _jpeg_2000,
    HEIC: _heic,
    AVIF: _avif,
}
