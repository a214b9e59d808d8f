"""The images that the cases send."""

import numpy as np

from tests.images import encode, grey_pixels

_PNG = encode(grey_pixels(64, 64, seed=1), "png-grey")


def shade(value: int, side: int = 64) -> bytes:
    """A square image of one grey value."""
    return encode(np.full((side, side), value, np.uint8), "png-grey")


WHOLE = {
    "black": shade(0),
    "grey": shade(100),
    "white": shade(255),
    "png-grey": _PNG,
    "png-rgb": encode(grey_pixels(64, 64, seed=2), "png-rgb"),
    "jpeg-grey": encode(grey_pixels(64, 64, seed=3), "jpeg-grey"),
    "jpeg-rgb": encode(grey_pixels(64, 64, seed=4), "jpeg-rgb"),
    "jpeg-progressive": encode(grey_pixels(64, 64, seed=5), "jpeg-progressive"),
}
BROKEN = {
    "empty": b"",
    "text": b"this is not an image",
    "html": b"<html><body>404</body></html>",
    "zeros": bytes(64),
    "png-header": _PNG[:8],
    "png-half": _PNG[: len(_PNG) // 2],
}
ALL = {**WHOLE, **BROKEN}


def batch(size: int) -> list[bytes]:
    """As many images, no two neighbours alike, broken ones among them."""
    images = list(ALL.values())
    return [images[index % len(images)] for index in range(size)]
