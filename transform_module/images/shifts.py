"""Images as another place would have taken or stored them.

A random split has no such images: a model is chosen for what it makes of them only if they are
made. Each shift is drawn for each image by itself, within bounds that hospitals differ by: the
framing, the resolution and sharpness, the exposure. Two shifts touch one class alone. Where one
class of the training images is sharper than the other, a model that relies on sharpness fails on
them.
"""

import io
from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image, ImageFilter

_SIDE: Final = 224
"""Shorter side, in pixels, of the images that the widths of blur and sharpening are meant for."""

_Shift = Callable[[Image.Image, np.random.Generator], Image.Image]


def shift(pixels: np.ndarray, kind: str, label: int, *, seed: int) -> np.ndarray:
    """Shifts an image.

    Args:
        pixels: [H, W] uint8.
        kind: one of SHIFTS.
        label: of the image; some kinds leave those of one label as they are.
        seed: the image's own; the same one shifts the same way.

    Returns:
        [H, W] uint8.

    Raises:
        ValueError: there is no such kind.
    """
    if kind not in _SHIFTS:
        raise ValueError(f"The kind must be one of {', '.join(SHIFTS)}. Received: {kind!r}")
    change, labels = _SHIFTS[kind]
    if label not in labels:
        return pixels
    return np.asarray(change(Image.fromarray(pixels), np.random.default_rng(seed)))


def _crop(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Leaves 50 to 90 % of the area, up to a quarter longer in one direction."""
    area = generator.uniform(0.5, 0.9)
    aspect = np.exp(generator.uniform(-1, 1) * np.log(1.25))
    width, height = (
        side * min(1.0, share)
        for side, share in zip(
            image.size, (np.sqrt(area * aspect), np.sqrt(area / aspect)), strict=True
        )
    )
    left = generator.uniform(0, image.width - width)
    top = generator.uniform(0, image.height - height)
    box = (left, top, left + width, top + height)
    return image.resize(image.size, Image.Resampling.BILINEAR, box)


def _margin(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Adds a black margin of up to 10 % at each side, as a collimator leaves."""
    left, right, top, bottom = generator.uniform(0, 0.1, 4)
    width, height = image.width * (1 + left + right), image.height * (1 + top + bottom)
    wide = Image.new("L", (round(width), round(height)))
    wide.paste(image, (round(left * image.width), round(top * image.height)))
    return wide.resize(image.size, Image.Resampling.BILINEAR)


def _soft(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Takes details away: by a lower resolution, a blur, or JPEG."""
    way = generator.integers(3)
    amount = generator.uniform()
    if way == 0:
        scale = 0.3 + 0.3 * amount
        small = [max(1, round(side * scale)) for side in image.size]
        return image.resize((small[0], small[1]), Image.Resampling.BOX).resize(
            image.size, Image.Resampling.BICUBIC
        )
    if way == 1:
        return image.filter(ImageFilter.GaussianBlur(_pixels(image, 1 + 1.5 * amount)))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=round(15 + 25 * amount))
    return Image.open(file)


def _sharp(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Exaggerates details, as a radiograph's processing does: an unsharp mask."""
    radius = _pixels(image, generator.uniform(1, 3))
    return image.filter(ImageFilter.UnsharpMask(radius, round(generator.uniform(80, 250)), 0))


def _exposure(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Changes gamma (0.6 to 1.7), contrast about the mean (0.5 to 1.5), and brightness (0.15)."""
    gamma = np.exp(generator.uniform(-1, 1) * np.log(1.7))
    contrast = generator.uniform(0.5, 1.5)
    brightness = generator.uniform(-0.15, 0.15)
    levels = np.asarray(image) / 255
    raised = levels**gamma
    mean = raised.mean()
    changed = mean + contrast * (raised - mean) + brightness
    return Image.fromarray(np.clip(np.rint(255 * changed), 0, 255).astype(np.uint8))


def _pixels(image: Image.Image, width: float) -> float:
    return width * min(image.size) / _SIDE


_BOTH: Final = (0, 1)

_SHIFTS: dict[str, tuple[_Shift, tuple[int, ...]]] = {
    "crop": (_crop, _BOTH),
    "margin": (_margin, _BOTH),
    "soft": (_soft, _BOTH),
    "sharp": (_sharp, _BOTH),
    "exposure": (_exposure, _BOTH),
    "soft NORMAL": (_soft, (0,)),
    "soft PNEUMONIA": (_soft, (1,)),
}

SHIFTS: Final = tuple(_SHIFTS)
"""The kinds."""
