"""What lies in an image folder: every file, with the folder and the class that it stands under.

The layout is ``train|val|test/NORMAL|PNEUMONIA/**`` or ``NORMAL|PNEUMONIA/**``, names in any case.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from components.errors import UserError
from components.images.reasons import NOT_REGULAR
from transform_module.features import LABELS

FOLDERS: Final = ("train", "val", "test")
"""The folders that may stand above the class folders; without them a file's folder is ``""``."""

EXPECTED_LAYOUT: Final = "train|val|test/NORMAL|PNEUMONIA/..., or only NORMAL|PNEUMONIA/..."

_SYSTEM_FILES = frozenset({".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini"})
_PICTURE_SUFFIXES = (b".jpeg", b".jpg", b".png", b".bmp", b".gif")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of an image folder.

    Attributes:
        path: relative to the image folder, in the file system's own bytes.
        folder: one of FOLDERS, or ``""``.
        label: one of LABELS, or ``""`` outside the class folders.
        size: in bytes.
        mtime_ns: time of the last change, in nanoseconds.
        readable: whether it is a regular file, whose content can be read.
        skipped: a system file, which is counted and left alone.
        problem: why it is no picture of the dataset, known without reading it; None where it may
            be one.
    """

    path: bytes
    folder: str
    label: str
    size: int = 0
    mtime_ns: int = 0
    readable: bool = False
    skipped: bool = False
    problem: str | None = None

    @property
    def filename(self) -> str:
        """The path as text, see `as_text`."""
        return as_text(self.path)

    @property
    def below_class(self) -> str:
        """The path below the class folder."""
        parents = bool(self.folder) + bool(self.label)
        return "/".join(self.filename.split("/")[parents:])


def as_text(path: bytes) -> str:
    r"""A path as text for people: bytes that are no UTF-8 are shown as ``\xe9``."""
    return path.decode("utf-8", "backslashreplace")


def is_system_file(name: str) -> bool:
    """Tells whether a file name is one that operating systems leave in folders of pictures."""
    return name.lower() in _SYSTEM_FILES or name.startswith("._")


def scan(images: Path) -> list[SourceFile]:
    """Lists every file below a folder, links followed, sorted by path.

    Folders are walked and not counted, but for those that stand for a lost file: one that cannot
    be opened, one that a link leads back into, and an empty one that is named like a picture.

    Args:
        images: the image folder.

    Returns:
        One entry a file.

    Raises:
        UserError: there is no such folder, or no class folder with a file in it.
    """
    if not images.is_dir():
        raise UserError(f"No image folder at {images}. Expected a folder with {EXPECTED_LAYOUT}.")
    if not os.access(images, os.R_OK | os.X_OK):
        raise UserError(f"The image folder {images} cannot be opened: permission denied.")
    files = sorted(_walk(os.fsencode(images), b"", frozenset()), key=lambda file: file.path)
    if not any(file.label and not file.skipped for file in files):
        raise UserError(_nothing_recognised(images))
    return files


def _nothing_recognised(images: Path) -> str:
    found = sorted(entry.name for entry in images.iterdir())
    shown = ", ".join(found[:8]) + (", ..." if len(found) > 8 else "") if found else "nothing"
    message = (
        f"{images} holds no pictures in class folders. Expected {EXPECTED_LAYOUT}. Found: {shown}."
    )
    wanted = {name.lower() for name in (*FOLDERS, *LABELS)}
    for name in found:
        child = images / name
        if child.is_dir() and wanted & {entry.name.lower() for entry in child.iterdir()}:
            return f"{message} Did you mean {child}?"
    return message


def _walk(root: bytes, relative: bytes, above: frozenset[tuple[int, int]]) -> Iterator[SourceFile]:
    path = os.path.join(root, relative) if relative else root
    try:
        found = os.stat(path)
        identity = (found.st_dev, found.st_ino)
        if identity in above:
            yield _entry(relative, problem="link to a folder that it lies in")
            return
        with os.scandir(path) as entries:
            names = sorted(entry.name for entry in entries)
    except OSError as error:
        yield _entry(relative, problem=f"folder that cannot be opened: {error.strerror}")
        return
    if not names and relative.lower().endswith(_PICTURE_SUFFIXES):
        yield _entry(relative, problem="empty folder that is named like a picture")
    for name in names:
        child = os.path.join(relative, name)
        if os.path.isdir(os.path.join(root, child)):
            yield from _walk(root, child, above | {identity})
        else:
            yield _file(root, child)


def _file(root: bytes, relative: bytes) -> SourceFile:
    skipped = is_system_file(as_text(os.path.basename(relative)))
    try:
        found = os.stat(os.path.join(root, relative))
    except OSError as error:
        dangling = os.path.islink(os.path.join(root, relative))
        problem = "link that leads nowhere" if dangling else f"cannot be opened: {error.strerror}"
        return _entry(relative, skipped=skipped, problem=problem)
    readable = stat.S_ISREG(found.st_mode)
    return _entry(
        relative,
        size=found.st_size,
        mtime_ns=found.st_mtime_ns,
        readable=readable,
        skipped=skipped,
        problem=None if readable else NOT_REGULAR,
    )


def _entry(
    path: bytes,
    *,
    size: int = 0,
    mtime_ns: int = 0,
    readable: bool = False,
    skipped: bool = False,
    problem: str | None = None,
) -> SourceFile:
    *parents, _ = (as_text(part) for part in path.split(b"/"))
    folder = parents.pop(0).lower() if parents and parents[0].lower() in FOLDERS else ""
    label = parents[0].upper() if parents and parents[0].upper() in LABELS else ""
    if not label and problem is None:
        problem = f"outside the class folders: expected {EXPECTED_LAYOUT}"
    return SourceFile(path, folder, label, size, mtime_ns, readable, skipped, problem)
