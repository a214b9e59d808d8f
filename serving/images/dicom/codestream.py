"""Sizes that compressed pixels say of themselves, before they are decoded."""

from typing import Final, NamedTuple

_JPEG: Final = b"\xff\xd8"
_JPEG_2000: Final = b"\xff\x4f\xff\x51"
_JP2: Final = b"\0\0\0\x0cjP  "

_END: Final = b"\xff\xd9"
_PADDING: Final = 16

# Start of frame: ITU-T T.81, table B.1, but DHT, JPG and DAC; JPEG-LS: ITU-T T.87, table C.1.
_FRAMES: Final = (frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}) | {0xF7}
_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_START_OF_SCAN: Final = 0xDA


class Size(NamedTuple):
    """What a codestream says of itself.

    Attributes:
        width: in pixels.
        height: in pixels.
        channels: their number.
        bits: of a sample.
    """

    width: int
    height: int
    channels: int
    bits: int


def size_of(stream: bytes) -> Size | None:
    """Reads the size out of a JPEG, JPEG-LS or JPEG 2000 codestream.

    Args:
        stream: the compressed pixels; anything.

    Returns:
        The size; None where it cannot be found.
    """
    if stream.startswith(_JP2):
        return _size_of_jpeg_2000(stream[max(stream.find(_JPEG_2000), 0) :])
    if stream.startswith(_JPEG_2000):
        return _size_of_jpeg_2000(stream)
    return _size_of_jpeg(stream) if stream.startswith(_JPEG) else None


def is_whole(stream: bytes) -> bool:
    """Returns whether a codestream has its end (EOI in JPEG, EOC in JPEG 2000: both are the same).

    GDCM fills up a JPEG that lacks it, and never returns from some JPEG-LS.
    """
    return _END in stream[-_PADDING:]


def _size_of_jpeg(stream: bytes) -> Size | None:
    place = 2
    while place + 10 <= len(stream) and stream[place] == 0xFF:
        code = stream[place + 1]
        if code == 0xFF or code in _WITHOUT_LENGTH:
            place += 1 if code == 0xFF else 2
        elif code in _FRAMES:
            # T.81, section B.2.2: length, bits, height, width, channels.
            height, width = _number(stream, place + 5), _number(stream, place + 7)
            return Size(width, height, stream[place + 9], stream[place + 4])
        elif code == _START_OF_SCAN:
            break
        else:
            place += 2 + _number(stream, place + 2)
    return None


def _size_of_jpeg_2000(stream: bytes) -> Size | None:
    # ITU-T T.800, section A.5.1: markers, length, capabilities, then six numbers of 4 bytes and
    # more, then channels and the bits of the first, less 1, under the sign.
    if len(stream) < 43:
        return None
    right, bottom, left, top = (_number(stream, at, 4) for at in (8, 12, 16, 20))
    return Size(right - left, bottom - top, _number(stream, 40), (stream[42] & 0x7F) + 1)


def _number(data: bytes, start: int, size: int = 2) -> int:
    return int.from_bytes(data[start : start + size], "big")
