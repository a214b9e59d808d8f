"""Why a file is no picture, where nothing of its content is known yet."""

from typing import Final

NOT_REGULAR: Final = "no regular file: a pipe, socket or device"


def too_large(limit: int) -> str:
    """Words for a file of more bytes than the limit."""
    return f"too large: a file of more than {limit // 1024**2} MiB"


def unreadable(error: OSError) -> str:
    """Words for a file that the system does not hand out."""
    return f"cannot be opened: {(error.strerror or 'error').lower()}"
