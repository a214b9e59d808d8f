"""Images made for tests: every format that the pipeline reads, and damage to them."""

import struct
import zlib

import numpy as np
from PIL import Image

from components.serving_check import sample_images

# Pillow's mode, file format and options of every kind of image that is read.
FORMATS = {
    "jpeg-grey": ("L", "JPEG", {}),
    "jpeg-rgb": ("RGB", "JPEG", {}),
    "jpeg-cmyk": ("CMYK", "JPEG", {}),
    "jpeg-progressive": ("RGB", "JPEG", {"progressive": True}),
    "png-grey": ("L", "PNG", {}),
    "png-16-bit": ("I;16", "PNG", {}),
    "png-rgb": ("RGB", "PNG", {}),
    "png-rgba": ("RGBA", "PNG", {}),
    "png-grey-alpha": ("LA", "PNG", {}),
    "png-palette": ("P", "PNG", {}),
    "bmp-rgb": ("RGB", "BMP", {}),
    "bmp-grey": ("L", "BMP", {}),
    "gif": ("P", "GIF", {}),
}


def grey_pixels(width: int = 200, height: int = 180, seed: int = 0) -> np.ndarray:
    """A smooth image: [height, width] uint8."""
    generator = np.random.default_rng(seed)
    coarse = Image.fromarray(generator.integers(0, 256, (9, 10), dtype=np.uint8))
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))


def encode(pixels: np.ndarray, name: str) -> bytes:
    """Encodes [height, width] uint8 grey pixels in one of FORMATS."""
    return sample_images.encode(pixels, *FORMATS[name])


def png_of_16_bits(samples: np.ndarray) -> bytes:
    """A PNG of [H, W] or [H, W, channels] uint16: grey, grey and alpha, RGB or RGBA."""
    height, width = samples.shape[:2]
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[channels]

    def chunk(name: bytes, data: bytes) -> bytes:
        checked = name + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    rows = samples.astype(">u2").reshape(height, -1)
    data = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts
