"""Turning images upright, as their EXIF data say."""

import logging
from typing import Final

from PIL import ExifTags, Image

_LOG = logging.getLogger(__name__)

_UPRIGHT: Final = 1

# As `ImageOps.exif_transpose` has them, which fails on data that it cannot write again.
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation(image: Image.Image) -> int:
    """Reads the orientation of a loaded image, 1 to 8; 1 where its EXIF data are malformed."""
    try:
        found = image.getexif().get(ExifTags.Base.Orientation, _UPRIGHT)
    except Exception as error:  # noqa: BLE001 - many kinds are raised on malformed data
        _LOG.debug("Pillow on EXIF data: %s", type(error).__name__)
        return _UPRIGHT
    return int(found) if found in _TURNS else _UPRIGHT


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """Turns an image of an orientation, 1 to 8 (CIPA DC-008, section 4.6.5)."""
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image
