"""The cost of decoding an image, read from its header in microseconds."""

import re
from collections.abc import Callable
from typing import Final

from serving.images.encoding import encoding
from transform_module.contract import MAXIMUM_PIXELS

FEW_PIXELS: Final = 8_000_000
"""Pixels of a request that waits and runs with the others: an original of 3000x2600, or 160 images
of 224x224. Decoding takes up to a second for ten million of them."""

_PASSES: Final = 3
"""Over the pixels of an image that is encoded anew."""

_SCANS: Final = 16
"""Scans that a progressive JPEG has at most; libjpeg's own scripts have 10 (`jcparam.c`)."""

# Segments of a JPEG before its pixels, and blocks of a GIF beside one for so many bytes. Most JPEGs
# have fewer than 20, and blocks have 255 bytes. A file of more was made to be slow to read.
_MOST_PARTS: Final = 1000
_BYTES_PER_BLOCK: Final = 64

# ITU-T T.81, table B.1.
_SOI: Final = 0xD8
_EOI: Final = 0xD9
_SOS: Final = 0xDA
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
_PREFIX: Final = re.compile(rb"\xff")
_CODE: Final = re.compile(rb"[^\xff]")


def pixels(image: bytes | memoryview) -> int:
    """Returns how many pixels the decoder has to make of an encoded image.

    Args:
        image: the content of an image file.

    Returns:
        Width times height: of a GIF of all its frames, of a JPEG once for each 16 scans, because
        each of them passes over all pixels; of formats that are encoded anew three times, because
        they are decoded, encoded and decoded again, but more than FEW_PIXELS at least: a damaged
        one costs the start of a process, or all the time that one has. 0 where nothing is decoded:
        of other formats, of a header that is cut off, and of more than MAXIMUM_PIXELS (see
        `image_ops.decode_grey`).
        MAXIMUM_PIXELS where the header has more parts than any program writes.
    """
    content = memoryview(image)
    for magic, size_of in _FORMATS.items():
        if content[: len(magic)] == magic:
            count, passes = size_of(content)
            return count * passes if count <= MAXIMUM_PIXELS else 0
    encoded = encoding.pixels(bytes(image))
    return max(_PASSES * encoded, FEW_PIXELS + 1) if encoded else 0


def _png(content: memoryview) -> tuple[int, int]:
    # PNG specification, section 11.2.1: IHDR is first, with width and height.
    return _product(content, 16, 4, "big"), 1


def _bmp(content: memoryview) -> tuple[int, int]:
    # BITMAPINFOHEADER; a negative height means rows from the top.
    return _product(content, 18, 4, "little"), 1


def _gif(content: memoryview) -> tuple[int, int]:
    # GIF89a specification: sections 18 to 22. The decoder reads all frames, whatever the screen is.
    total = screen = _product(content, 6, 2, "little")
    position = 13 + _table(content, 10)
    left = _MOST_PARTS + len(content) // _BYTES_PER_BLOCK
    while position < len(content):
        kind = content[position]
        if kind == 0x2C:
            total += _product(content, position + 5, 2, "little")
            position += 10 + _table(content, position + 9) + 1
        elif kind == 0x21:
            position += 2
        else:
            break
        while position < len(content) and content[position]:
            position += 1 + content[position]
            left -= 1
            if left < 0:
                break
        position += 1
        left -= 1
        if left < 0:
            return MAXIMUM_PIXELS, 1
    # A frame of the screen's size is what every GIF has.
    return screen, max(1, -(-(total - screen) // max(screen, 1)))


def _table(content: memoryview, at: int) -> int:
    """Bytes of a color table that follows flags, or 0."""
    flags = content[at] if at < len(content) else 0
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _jpeg(content: memoryview) -> tuple[int, int]:
    # As libjpeg finds its way (`jdmarker.c`): bytes between segments are passed over.
    position, count = 2, 0
    for _ in range(_MOST_PARTS):
        prefix = _PREFIX.search(content, position)
        code = _CODE.search(content, prefix.end()) if prefix else None
        if code is None:
            break
        marker = content[code.start()]
        position = code.end()
        if marker == 0 or marker in _ALONE:
            continue
        if marker in (_SOI, _EOI, _SOS):
            break
        if marker in _FRAMES:
            count = _product(content, position + 3, 2, "big")
        length = int.from_bytes(content[position : position + 2], "big")
        position += max(length, 2)
    else:
        return MAXIMUM_PIXELS, 1
    scans = bytes(content).count(b"\xff\xda") if count else 0
    return count, max(1, -(-scans // _SCANS))


def _product(content: memoryview, at: int, size: int, order: str) -> int:
    """The product of two integers that follow each other, or 0 where they are cut off."""
    if at + 2 * size > len(content):
        return 0
    is_signed = order == "little" and size == 4
    first, second = (
        int.from_bytes(content[start : start + size], order, signed=is_signed)  # type: ignore[arg-type]
        for start in (at, at + size)
    )
    return abs(first * second)


_FORMATS: Final[dict[bytes, Callable[[memoryview], tuple[int, int]]]] = {
    b"\xff\xd8\xff": _jpeg,
    b"\x89PNG\r\n\x1a\n": _png,
    b"GIF8": _gif,
    b"BM": _bmp,
}
