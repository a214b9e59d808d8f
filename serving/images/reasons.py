"""Reasons why a file cannot be read, before its content is known."""

from typing import Final

NOT_REGULAR: Final = "no regular file: a pipe, socket or device"
CLOSED_FOLDER: Final = "folder that cannot be opened"
EMPTY_ARCHIVE: Final = "archive without files"
NO_FILES: Final = "folder without files"
NO_MATCH: Final = "no file matches this pattern"
NO_PATTERN: Final = "no such file; patterns are not read in a store, folders are"
NO_PATH: Final = "no path: it has a character that no path can have"


def too_large(limit: int) -> str:
    """Words for a file of more bytes than the limit."""
    return f"too large: a file of more than {limit // 1024**2} MiB"


def unreadable(error: OSError) -> str:
    """Words for a file that the system does not hand out."""
    return f"cannot be opened: {(error.strerror or 'error').lower()}"


def remote(address: str) -> str:
    """Words for what is not on this machine."""
    scheme = address.partition("://")[0]
    return f"not a local file ({scheme}): copy it to this machine first"
