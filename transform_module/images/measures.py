"""Measures of an image's pixels, which say nothing about lungs."""

from typing import Final

import numpy as np

MEASURES: Final = ("brightness", "contrast", "sharpness", "border")
"""Their names."""

_BORDER = 0.05


def measure(pixels: np.ndarray) -> dict[str, float]:
    """Measures an image.

    Args:
        pixels: [H, W] uint8, of the size that the model sees, so that images can be compared.

    Returns:
        In grey levels: ``brightness``, the mean; ``contrast``, the standard deviation;
        ``sharpness``, the standard deviation of the discrete Laplacian (Pech-Pacheco et al. 2000,
        https://doi.org/10.1109/ICPR.2000.903548, take its square); ``border``, the mean of the
        outer 5 % at each side.
    """
    grey = pixels.astype(np.float64)
    height, width = (max(1, round(_BORDER * side)) for side in grey.shape)
    inner = grey[height:-height, width:-width]
    laplacian = (
        grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    )
    return {
        "brightness": float(grey.mean()),
        "contrast": float(grey.std()),
        "sharpness": float(laplacian.std()),
        "border": float((grey.sum() - inner.sum()) / (grey.size - inner.size)),
    }
