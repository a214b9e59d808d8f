"""Pictures made for tests: every format that the pipeline reads, and damage to them."""

import numpy as np
from PIL import Image

from components import serving_check_pictures

# Pillow's mode, file format and options of every kind of picture that is read.
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
    """A smooth picture: [height, width] uint8."""
    generator = np.random.default_rng(seed)
    coarse = Image.fromarray(generator.integers(0, 256, (9, 10), dtype=np.uint8))
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))


def encode(pixels: np.ndarray, name: str) -> bytes:
    """Encodes [height, width] uint8 grey pixels in one of FORMATS."""
    return serving_check_pictures.encode(pixels, *FORMATS[name])
