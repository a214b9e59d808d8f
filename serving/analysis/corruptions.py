"""Images corrupted on purpose, to measure a model's robustness.

The idea, and the strengths of noise, blur, contrast, brightness and JPEG, are those of ImageNet-C
(Hendrycks and Dietterich 2019, https://arxiv.org/abs/1903.12261), meant for images of 224 pixels;
rotation is ours. Larger images are made as small first: the same noise or blur in pixels would
vanish when an image of 2,000 pixels is shrunk for the model.
"""

import io
from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image
from scipy import ndimage

STRENGTHS: Final = (1, 2, 3, 4, 5)

REFERENCE_SIDE: Final = 224
"""Images whose shorter side is longer, in pixels, are reduced to it."""


def reduce(pixels: np.ndarray) -> np.ndarray:
    """Reduces an image to the size at which it is corrupted; a smaller one stays as it is.

    Args:
        pixels: [H, W] uint8.

    Returns:
        [h, w] uint8, with the shorter side of REFERENCE_SIDE at most and the same aspect ratio.
    """
    scale = REFERENCE_SIDE / min(pixels.shape)
    if scale >= 1:
        return pixels
    height, width = (max(1, round(side * scale)) for side in pixels.shape)
    shrunk = Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(shrunk)


def corrupt(pixels: np.ndarray, kind: str, strength: int, *, seed: int) -> np.ndarray:
    """Corrupts an image.

    Args:
        pixels: [H, W] uint8, as `reduce` returns it.
        kind: one of KINDS.
        strength: one of STRENGTHS.
        seed: the image's own; the same one corrupts the same way.

    Returns:
        [H, W] uint8.

    Raises:
        ValueError: there is no such kind or strength.
    """
    if kind not in _KINDS or strength not in STRENGTHS:
        raise ValueError(
            f"The kind must be one of {', '.join(KINDS)}, the strength one of {STRENGTHS}. "
            f"Received: {kind!r}, {strength!r}"
        )
    change, amounts = _KINDS[kind]
    corrupted = change(pixels, amounts[strength - 1], np.random.default_rng(seed))
    return np.clip(np.rint(corrupted), 0, 255).astype(np.uint8)


def _noise(pixels: np.ndarray, deviation: float, generator: np.random.Generator) -> np.ndarray:
    """Gaussian noise; its deviation in shares of 255 grey levels."""
    return pixels + 255 * deviation * generator.standard_normal(pixels.shape)


def _blur(pixels: np.ndarray, sigma: float, _: np.random.Generator) -> np.ndarray:
    """Gaussian blur; sigma in pixels of an image of REFERENCE_SIDE."""
    scale = min(pixels.shape) / REFERENCE_SIDE
    return ndimage.gaussian_filter(pixels.astype(np.float64), sigma * scale, mode="nearest")


def _contrast(pixels: np.ndarray, kept: float, _: np.random.Generator) -> np.ndarray:
    """Distances from the mean, of which a share is kept."""
    mean = pixels.mean()
    return mean + kept * (pixels - mean)


def _brightness(pixels: np.ndarray, added: float, _: np.random.Generator) -> np.ndarray:
    """Light added everywhere, in shares of 255 grey levels."""
    return pixels + 255 * added


def _jpeg(pixels: np.ndarray, quality: float, _: np.random.Generator) -> np.ndarray:
    """JPEG of a quality, 1 to 95."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=int(quality))
    return np.asarray(Image.open(file))


def _rotation(pixels: np.ndarray, degrees: float, generator: np.random.Generator) -> np.ndarray:
    """Turns to the left or the right; the corners are filled with what is nearest."""
    angle = degrees * generator.choice((-1, 1))
    return ndimage.rotate(
        pixels.astype(np.float64), angle, reshape=False, order=1, mode="nearest", prefilter=False
    )


_Corrupt = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]

_KINDS: dict[str, tuple[_Corrupt, tuple[float, ...]]] = {
    "noise": (_noise, (0.08, 0.12, 0.18, 0.26, 0.38)),
    "blur": (_blur, (1, 2, 3, 4, 6)),
    "contrast": (_contrast, (0.4, 0.3, 0.2, 0.1, 0.05)),
    "brightness": (_brightness, (0.1, 0.2, 0.3, 0.4, 0.5)),
    "jpeg": (_jpeg, (25, 18, 15, 10, 7)),
    "rotation": (_rotation, (4, 8, 12, 16, 20)),
}

KINDS: Final = tuple(_KINDS)
