"""Images corrupted on purpose, to measure a model's robustness.

The kinds and their strengths are those that MedMNIST-C has for this dataset, PneumoniaMNIST (Di
Salvo, Doerrich and Ledig, "MedMNIST-C: Comprehensive benchmark and improved classifier robustness
by simulating realistic image corruptions", 2024, https://arxiv.org/abs/2406.17536; the figures are
in ``corruptions/registry.py`` of medmnistc 0.1.0). They are meant for images of 224 pixels, so that
larger images are made as small first: the same noise or blur in pixels would vanish when an image
of 2,000 pixels is shrunk for the model.
"""

import io
import statistics
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from PIL import Image, ImageEnhance
from scipy import ndimage

from serving.analysis.findings import Corruption

STRENGTHS: Final = (1, 2, 3, 4, 5)

REFERENCE_SIDE: Final = 224
"""Images whose shorter side is longer, in pixels, are reduced to it."""

BASELINE: Final = 0.265
"""Mean balanced error of the benchmark's own baseline, an AlexNet, on the official test images."""


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
    return change(pixels, amounts[strength - 1], np.random.default_rng(seed))


def mean_balanced_error(found: Sequence[Corruption]) -> float | None:
    """Returns the mean of 1 - (sensitivity + specificity) / 2, the benchmark's figure.

    Args:
        found: all kinds and strengths.

    Returns:
        In [0, 1]; None where the images show one class alone, or nothing is corrupted.
    """
    errors = [
        1 - (each.sensitivity + each.specificity) / 2
        for each in found
        if each.sensitivity is not None and each.specificity is not None
    ]
    return statistics.fmean(errors) if errors else None


def _pixelate(pixels: np.ndarray, scale: float, _: np.random.Generator) -> np.ndarray:
    """Of a lower resolution."""
    image = Image.fromarray(pixels)
    width, height = (max(1, int(side * scale)) for side in image.size)
    small = image.resize((width, height), Image.Resampling.BOX)
    return np.asarray(small.resize(image.size, Image.Resampling.BOX))


def _jpeg(pixels: np.ndarray, quality: float, _: np.random.Generator) -> np.ndarray:
    """JPEG of a quality, 1 to 95."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=int(quality))
    return np.asarray(Image.open(file))


def _gaussian(pixels: np.ndarray, deviation: float, generator: np.random.Generator) -> np.ndarray:
    """Noise of one standard deviation everywhere."""
    return _levels(pixels / 255 + deviation * generator.standard_normal(pixels.shape))


def _speckle(pixels: np.ndarray, deviation: float, generator: np.random.Generator) -> np.ndarray:
    """Noise in proportion to the light."""
    return _levels(pixels / 255 * (1 + deviation * generator.standard_normal(pixels.shape)))


def _impulse(pixels: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    """Some pixels black, as many white."""
    drawn = generator.uniform(size=pixels.shape)
    return np.where(drawn < share, np.where(drawn < share / 2, 0, 255), pixels).astype(np.uint8)


def _shot(pixels: np.ndarray, photons: float, generator: np.random.Generator) -> np.ndarray:
    """Counted photons, so many in white."""
    return _levels(generator.poisson(pixels / 255 * photons) / photons)


def _blur(pixels: np.ndarray, width: float, _: np.random.Generator) -> np.ndarray:
    """Gaussian in a window of so many pixels, with the deviation that torchvision takes for it."""
    deviation = 0.15 * width + 0.35
    blurred = ndimage.gaussian_filter(
        pixels.astype(np.float64), deviation, mode="mirror", radius=int(width) // 2
    )
    return np.clip(np.rint(blurred), 0, 255).astype(np.uint8)


def _brightness(pixels: np.ndarray, factor: float, _: np.random.Generator) -> np.ndarray:
    """All light by a factor."""
    return np.asarray(ImageEnhance.Brightness(Image.fromarray(pixels)).enhance(factor))


def _contrast(pixels: np.ndarray, factor: float, _: np.random.Generator) -> np.ndarray:
    """The distances from the mean by a factor."""
    return np.asarray(ImageEnhance.Contrast(Image.fromarray(pixels)).enhance(factor))


def _gamma(pixels: np.ndarray, exponent: float, _: np.random.Generator) -> np.ndarray:
    """A power of the light."""
    return _levels((pixels / 255) ** exponent)


def _levels(light: np.ndarray) -> np.ndarray:
    """Grey levels of light in [0, 1], rounded down as the benchmark does."""
    return (np.clip(light, 0, 1) * 255).astype(np.uint8)


_Corrupt = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]

_KINDS: dict[str, tuple[_Corrupt, tuple[float, ...]]] = {
    "pixelate": (_pixelate, (0.8, 0.7, 0.6, 0.5, 0.4)),
    "jpeg_compression": (_jpeg, (50, 30, 15, 10, 7)),
    "gaussian_noise": (_gaussian, (0.04, 0.05, 0.06, 0.07, 0.08)),
    "speckle_noise": (_speckle, (0.05, 0.07, 0.1, 0.15, 0.2)),
    "impulse_noise": (_impulse, (0.005, 0.01, 0.013, 0.017, 0.02)),
    "shot_noise": (_shot, (300, 200, 150, 100, 80)),
    "gaussian_blur": (_blur, (3, 5, 7, 9, 11)),
    "brightness_up": (_brightness, (1.1, 1.2, 1.3, 1.4, 1.5)),
    "brightness_down": (_brightness, (0.9, 0.8, 0.7, 0.6, 0.5)),
    "contrast_up": (_contrast, (1.1, 1.2, 1.3, 1.4, 1.6)),
    "contrast_down": (_contrast, (0.9, 0.8, 0.7, 0.6, 0.4)),
    "gamma_corr_up": (_gamma, (1.1, 1.2, 1.3, 1.4, 1.6)),
    "gamma_corr_down": (_gamma, (0.9, 0.8, 0.7, 0.6, 0.4)),
}

KINDS: Final = tuple(_KINDS)
"""The benchmark's names."""
