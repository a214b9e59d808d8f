"""Images of the check before the push: every format, and broken files."""

import csv
import io
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

_SIDE: Final = 200
# Pillow's mode, file format and options. All but JPEG keep every pixel, so that they must agree.
_FORMATS: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    "PNG, grey": ("L", "PNG", {}),
    "PNG, 16 bits": ("I;16", "PNG", {}),
    "PNG, RGB": ("RGB", "PNG", {}),
    "PNG, alpha": ("RGBA", "PNG", {}),
    "PNG, palette": ("P", "PNG", {}),
    "BMP": ("RGB", "BMP", {}),
    "GIF": ("P", "GIF", {}),
    "JPEG, grey": ("L", "JPEG", {"quality": 95}),
    "JPEG, RGB": ("RGB", "JPEG", {"quality": 95}),
    "JPEG, CMYK": ("CMYK", "JPEG", {"quality": 95}),
    "JPEG, progressive": ("RGB", "JPEG", {"quality": 95, "progressive": True}),
}
_MOST_QUARANTINED: Final = 16
_LARGEST_BYTES: Final = 16 * 1024 * 1024


def formats() -> dict[str, bytes]:
    """Encodes one image in every format that is read, by the format's name."""
    ramp = np.linspace(0, 255, _SIDE, dtype=np.uint8)
    pixels = np.minimum(ramp[:, np.newaxis], ramp[np.newaxis, ::-1])
    return {name: encode(pixels, *how) for name, how in _FORMATS.items()}


def is_lossless(name: str) -> bool:
    """Returns whether a format keeps every pixel."""
    return not name.startswith("JPEG")


def broken() -> dict[str, bytes]:
    """Makes files that are not images, by what is wrong with them."""
    jpeg = formats()["JPEG, RGB"]
    return {
        "empty": b"",
        "text": b"no image",
        "first half of a JPEG": jpeg[: len(jpeg) // 2],
        "PNG header alone": formats()["PNG, grey"][:40],
        "DICOM": bytes(128) + b"DICM" + bytes(64),
        "zeros": bytes(10_000),
    }


def quarantined(listed: Path, images: Path) -> dict[str, bytes]:
    """Reads the worst files that the conversion kept out: for each reason the largest.

    Args:
        listed: the conversion's ``quarantine.csv``.
        images: the folder that its paths are in.

    Returns:
        The files that can still be read, by their reason.
    """
    if not listed.is_file():
        return {}
    found: dict[str, bytes] = {}
    with listed.open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: -int(row["bytes"] or 0))
    for row in rows:
        path = images / row["path"]
        if row["reason"] in found or len(found) == _MOST_QUARANTINED:
            continue
        if path.is_file() and path.stat().st_size <= _LARGEST_BYTES:
            found[row["reason"]] = path.read_bytes()
    return found


def encode(pixels: np.ndarray, mode: str, file_format: str, options: dict[str, Any]) -> bytes:
    """Encodes a grey image.

    Args:
        pixels: [height, width] uint8.
        mode: Pillow's, into which they are converted; in ``I;16`` they are spread over 16 bits.
        file_format: Pillow's.
        options: of the format.
    """
    if mode == "I;16":
        image = Image.fromarray(pixels.astype(np.uint16) * 257)
    else:
        image = Image.fromarray(pixels)
        if mode in ("CMYK", "RGBA"):
            image = image.convert("RGB")
        image = image.convert(mode)
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()
