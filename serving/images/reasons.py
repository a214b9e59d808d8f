"""Reasons why a file cannot be read, before its content is known."""

from typing import Final

from transform_module.contract import MAXIMUM_PIXELS, MINIMUM_SIDE

NOT_REGULAR: Final = "no regular file: a pipe, socket or device"
CLOSED_FOLDER: Final = "folder that cannot be opened"
EMPTY_ARCHIVE: Final = "archive without files"
NO_FILES: Final = "folder without files"
NO_MATCH: Final = "no file matches this pattern"
NO_PATTERN: Final = "no such file; patterns are not read in a store, folders are"
NO_PATH: Final = "no path: it has a character that no path can have"


def too_large(limit: int, encoded: str = "") -> str:
    """Words for a file of more bytes than the limit, perhaps only once it is encoded."""
    return f"too large: a file of more than {limit // 1024**2} MiB{encoded and f' {encoded}'}"


def size(width: int, height: int, frames: int = 1) -> str | None:
    """Words for an image that is not decoded for its size in pixels; None for one that is."""
    pixels = width * height * frames
    if min(width, height) < MINIMUM_SIDE:
        return f"too small: {width}x{height} pixels, the least side is {MINIMUM_SIDE}"
    if pixels > MAXIMUM_PIXELS:
        return (
            f"too large: {width}x{height}{f' in {frames} frames' if frames > 1 else ''} are "
            f"{pixels / 1e6:,.1f} million pixels, the limit is {MAXIMUM_PIXELS / 1e6:,.0f}"
        )
    return None


def unreadable(error: OSError) -> str:
    """Words for a file that the system does not hand out."""
    return f"cannot be opened: {(error.strerror or 'error').lower()}"


def remote(address: str) -> str:
    """Words for what is not on this machine."""
    scheme = address.partition("://")[0]
    return f"not a local file ({scheme}): copy it to this machine first"
