"""Heat map drawn over its image."""

from typing import Final

import numpy as np
from PIL import Image

# From little to much: matplotlib's perceptually uniform map `inferno` (van der Walt and Smith,
# 2015, CC0) at 0.3, 0.4, … 1.0. Its darker part would hide the image.
_COLOURS: Final = (
    (106, 23, 110),
    (147, 38, 103),
    (188, 55, 84),
    (221, 81, 58),
    (243, 120, 25),
    (252, 165, 10),
    (246, 215, 70),
    (252, 255, 164),
)
_OPACITY: Final = 0.6
"""Of the hottest place; cooler ones show more of the image."""

_LONGEST_SIDE: Final = 1024


def overlay(grey: np.ndarray, heat: np.ndarray) -> Image.Image:
    """Draws an image in grey, and over it its heat map in colours.

    Args:
        grey: [height, width] uint8.
        heat: [H, W] float32 in [0, 1]; it is stretched over the whole image.

    Returns:
        RGB, with the image's aspect ratio; its longer side is at most 1,024 pixels.
    """
    image = Image.fromarray(grey)
    image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.LANCZOS)
    stretched = Image.fromarray(heat).resize(image.size, Image.Resampling.BICUBIC)
    value = np.clip(np.asarray(stretched), 0, 1)[..., np.newaxis]
    opacity = _OPACITY * value
    mixed = (1 - opacity) * np.asarray(image)[..., np.newaxis] + opacity * _colours(value)
    return Image.fromarray(np.round(mixed).astype(np.uint8))


def _colours(value: np.ndarray) -> np.ndarray:
    places = np.linspace(0, 1, len(_COLOURS))
    return np.concatenate(
        [np.interp(value, places, channel) for channel in np.transpose(_COLOURS)], axis=-1
    )
