"""SHA-256 sums of a folder's files, and what differs from sums that were recorded."""

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from transform_module.files.sync import write_text

SUMS: Final = "sums.json"
"""The file that holds recorded sums; it lies beside the folder that they are of."""


def sums(folder: str | Path) -> dict[str, str]:
    """Computes the SHA-256 of each file under a folder.

    Args:
        folder: a local folder. What is not a regular file, as a link to a folder, gets a text that
            cannot be a sum, so that it never equals a recorded file.

    Returns:
        Hexadecimal SHA-256 by the file's path within the folder, with ``/`` between its parts.

    Raises:
        OSError: a file or a folder cannot be read.
    """
    root = Path(folder)
    return {name: _sum(root / name) for name in sorted(_names(root))}


def digest(sums: Mapping[str, str]) -> str:
    """Hashes the sums of all files to one SHA-256, whatever their order."""
    lines = "".join(f"{sums[name]}  {name}\0" for name in sorted(sums))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def differences(
    expected: Mapping[str, str], found: Mapping[str, str], record: str = "the record"
) -> list[str]:
    """Compares sums with recorded ones.

    Args:
        expected: what was recorded.
        found: what is there.
        record: what recorded them, for the message.

    Returns:
        One clause for each file that differs, which begins with its path; empty when none does.
    """
    missing = [f"{name}: the file is missing" for name in expected if name not in found]
    changed = [
        f"{name}: SHA-256 is {found[name]}, {record} says {expected[name]}"
        for name in expected
        if name in found and found[name] != expected[name]
    ]
    added = [f"{name}: the file is not in {record}" for name in found if name not in expected]
    return missing + changed + added


def record(folder: Path) -> None:
    """Records a folder's sums in `SUMS` beside it."""
    write_text(folder.parent / SUMS, to_json(sums(folder)))


def to_json(sums: Mapping[str, str]) -> str:
    """Returns the content of a file `SUMS`, which `from_json` reads."""
    return json.dumps({"files": sums}, indent=2) + "\n"


def from_json(text: str | bytes) -> dict[str, str]:
    """Reads the content of a file `SUMS`.

    Raises:
        ValueError: it is not a file of sums.
    """
    content = json.loads(text)
    files = content.get("files") if isinstance(content, dict) else None
    if not isinstance(files, dict) or not all(isinstance(each, str) for each in files.values()):
        raise ValueError("it holds no sums of files")
    return files


def mode_of(path: Path) -> int:
    """Returns a file's mode; 0 where it is not there, or is a link that leads nowhere.

    `Path.is_file` and its like take a file that cannot be looked at for none, in some versions of
    Python.

    Raises:
        OSError: it cannot be looked at.
    """
    try:
        return path.stat().st_mode
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise
        return 0


def _names(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root, onerror=_raise):
        place = Path(folder)
        links = (name for name in folders if (place / name).is_symlink())
        yield from ((place / name).relative_to(root).as_posix() for name in (*names, *links))


def _raise(error: OSError) -> None:
    raise error


def _sum(path: Path) -> str:
    if not stat.S_ISREG(mode_of(path)):
        return "none, since it is not a regular file"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
