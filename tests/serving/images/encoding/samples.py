"""Files of every format that is encoded anew, made of known pixels."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image

from tests.dicom_files import dicom
from tests.serving.images.encoding import heic_files


def saved(pixels: np.ndarray, form: str, **options: object) -> bytes:
    """Saves [H, W] uint8 or uint16, or [H, W, 3] uint8, by Pillow."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form, **options)
    return file.getvalue()


def heic(pixels: np.ndarray) -> bytes:
    """Saves as HEIC without loss, but for the 4 lowest of 16 bits: HEIC has 12."""
    return heic_files.of(pixels)


def _in_colours(pixels: np.ndarray) -> np.ndarray:
    return pixels if pixels.ndim == 3 else np.stack([pixels] * 3, axis=-1)


LOSSLESS: dict[str, Callable[[np.ndarray], bytes]] = {
    "tiff": lambda pixels: saved(pixels, "TIFF"),
    "tiff, LZW": lambda pixels: saved(pixels, "TIFF", compression="tiff_lzw"),
    "tiff, BigTIFF": lambda pixels: saved(pixels, "TIFF", big_tiff=True),
    "webp": lambda pixels: saved(_in_colours(pixels), "WEBP", lossless=True),
    "jpeg2000": lambda pixels: saved(pixels, "JPEG2000"),
    "jpeg2000, codestream": lambda pixels: saved(pixels, "JPEG2000", no_jp2=True),
    "heic": heic,
    "avif": lambda pixels: saved(_in_colours(pixels), "AVIF", quality=100, subsampling="4:4:4"),
}
"""Of 8-bit pixels; AVIF, which Pillow writes as luma and chroma, is lossless of grey ones alone."""

OF_16_BITS = ("tiff", "tiff, LZW", "tiff, BigTIFF", "jpeg2000", "jpeg2000, codestream", "heic")
"""Those that have more than 8 bits."""


FILES: dict[str, Callable[[np.ndarray], bytes]] = LOSSLESS | {"dicom": dicom}
"""Files of [H, W] uint8 in every format that is encoded anew."""
