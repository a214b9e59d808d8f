"""Writing that survives a power cut: what is there afterwards is whole."""

import errno
import os
from pathlib import Path
from typing import Final

# The errors of file systems that cannot sync a folder, such as some network shares.
_UNSUPPORTED: Final = (errno.EINVAL, errno.ENOTSUP)


def sync(path: Path) -> None:
    """Writes a file or a folder's entries through to the disk.

    Raises:
        OSError: that cannot be.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
    finally:
        os.close(descriptor)


def sync_tree(root: Path) -> None:
    """Writes a folder and all in it through to the disk."""
    for path in (*root.rglob("*"), root):
        sync(path)


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it where they are missing, each through to the disk."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        sync(each.parent)


def write_text(path: Path, text: str) -> None:
    """Writes a file in one step: a reader sees the former content or the whole new one.

    Raises:
        OSError: it cannot be written; then the former content is there.
    """
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file as `write_text` does.

    Raises:
        OSError: as `write_text` does.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        sync(partial)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync(path.parent)
