"""The size of an image, from its header, before anything is decoded. Pure, and in microseconds.

Decoders make room by these sizes, some before they look at anything else.
"""

import math
import struct
from collections.abc import Callable
from typing import Final

from serving.images.encoding.formats import AVIF, DICOM, HEIC, JPEG_2000, TIFF, WEBP
from transform_module.contract import MAXIMUM_PIXELS

Size = tuple[int, int]
"""Width and height, in pixels."""

_MOST_BOXES: Final = 1000

_WIDTH, _HEIGHT = 256, 257
# DICOM PS3.5, section 7.1: an element's tag and length, with and without its type, in both orders.
_ROWS, _COLUMNS = (
    (
        (b"\x28\0%b\0US\2\0" % tag, "<H"),
        (b"\x28\0%b\0\2\0\0\0" % tag, "<H"),
        (b"\0\x28\0%bUS\0\2" % tag, ">H"),
        (b"\0\x28\0%b\0\0\0\2" % tag, ">H"),
    )
    for tag in (b"\x10", b"\x11")
)
_MOST_ELEMENTS: Final = 1000
# Of a DICOM file: they come before the pixels.
_HEAD_BYTES: Final = 1024 * 1024

# TIFF 6.0, section 2, and BigTIFF: types of whole numbers.
_TIFF_NUMBERS: Final = {3: "H", 4: "I", 16: "Q"}


def size(data: bytes, form: str) -> Size | None:
    """Reads the size of the largest image that a decoder makes of a file.

    Args:
        data: the content of a file; anything.
        form: TIFF, WEBP, JPEG_2000, HEIC, AVIF or DICOM.

    Returns:
        Width and height; None where they cannot be read.
    """
    try:
        found = _SIZES[form](data)
    except (struct.error, OverflowError, ValueError):
        return None
    return found if found and all(found) else None


def _webp(data: bytes) -> Size:
    # WebP Container Specification; RFC 6386, section 9.1; WebP Lossless Bitstream Specification.
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return width, height
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind != b"VP8 ":
        raise ValueError("no image")
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _jpeg_2000(data: bytes) -> Size:
    # ITU-T T.800: annex A.5.1 (SIZ), and I.4 (boxes), of which the header's own size may differ.
    start = 0
    if not data.startswith(b"\xff\x4f"):
        start, _ = _box(data, b"jp2c")
    if data[start : start + 4] != b"\xff\x4f\xff\x51":
        raise ValueError("no codestream")
    right, bottom, left, top = struct.unpack_from(">IIII", data, start + 8)
    return max(right - left, 0), max(bottom - top, 0)


def _heif(data: bytes) -> Size | None:
    # ISO/IEC 23008-12, section 6.5.3: the size of each item is a property `ispe`.
    start, end = _box(data, b"meta")
    sizes = []
    while (start := data.find(b"ispe", start, end)) >= 0:
        sizes.append(struct.unpack_from(">II", data, start + 8))
        start += 4
    return max(sizes, key=lambda each: each[0] * each[1], default=None)


def _box(data: bytes, wanted: bytes) -> tuple[int, int]:
    """Finds the content of a box of an ISO base media (ISO/IEC 14496-12, 4.2) or JP2 file."""
    start = 0
    for _ in range(_MOST_BOXES):
        length, kind = struct.unpack_from(">I4s", data, start)
        begin = start + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, begin)
            begin += 8
        end = start + length if length else len(data)
        if end < begin:
            break
        if kind == wanted:
            return begin, min(end, len(data))
        start = end
    raise ValueError("no such box")


def _dicom(data: bytes) -> Size:
    # Wherever they are: to read all elements in their order takes seconds. A file that hides them,
    # as a deflated one does, counts as the largest.
    side, data = math.isqrt(MAXIMUM_PIXELS), data[:_HEAD_BYTES]
    width, height = (_largest(data, wanted) or side for wanted in (_COLUMNS, _ROWS))
    return (width, height) if width * height <= MAXIMUM_PIXELS else (side, side)


def _largest(data: bytes, elements: tuple[tuple[bytes, str], ...]) -> int:
    """The largest value of some elements; 0 where there are none, or too many to be an image's."""
    largest, left = 0, _MOST_ELEMENTS
    for start, form in elements:
        at = data.find(start)
        while at >= 0:
            left -= 1
            if left < 0:
                return 0
            at += len(start)
            if at + 2 <= len(data):
                largest = max(largest, *struct.unpack_from(form, data, at))
            at = data.find(start, at)
    return largest


def _tiff(data: bytes) -> Size:
    # TIFF 6.0, section 2; BigTIFF has longer fields. The first image's entries.
    order = "<" if data.startswith(b"II") else ">"
    is_big = data[2:4] in (b"+\0", b"\0+")
    offset, count, entry, value = ("Q", "Q", "HHQ8s", 12) if is_big else ("I", "H", "HHI4s", 8)
    (start,) = struct.unpack_from(order + offset, data, 8 if is_big else 4)
    (number,) = struct.unpack_from(order + count, data, start)
    start += struct.calcsize(order + count)
    length = struct.calcsize(order + entry)
    found = {_WIDTH: 0, _HEIGHT: 0}
    for at in range(start, min(start + number * length, len(data)), length):
        tag, kind = struct.unpack_from(order + "HH", data, at)
        if tag in found and kind in _TIFF_NUMBERS:
            (read,) = struct.unpack_from(order + _TIFF_NUMBERS[kind], data, at + value)
            # Decoders do not agree which of several counts.
            found[tag] = max(found[tag], read)
    return found[_WIDTH], found[_HEIGHT]


_SIZES: Final[dict[str, Callable[[bytes], Size | None]]] = {
    TIFF: _tiff,
    WEBP: _webp,
    JPEG_2000: _jpeg_2000,
    HEIC: _heif,
    AVIF: _heif,
    DICOM: _dicom,
}
