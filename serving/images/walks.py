"""What lies below an image folder, before it is known what each file means."""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from serving.images import passed_over
from serving.images.encoding.formats import SUFFIXES
from serving.images.folders import Parts, is_of_layout
from serving.images.labels.class_names import UNDERSTOOD, ClassNames
from serving.images.reasons import NOT_REGULAR
from transform_module.files.archives.archive_path import ArchivePath
from transform_module.files.source_path import Source, inside, read_range
from transform_module.files.store_path import StorePath
from transform_module.text import as_text

LOOKED_AT: Final = 10_000
"""So many folders and files are looked at to say what was found where nothing was recognised."""

_IMAGE_SUFFIXES = tuple(map(os.fsencode, SUFFIXES))


@dataclass(frozen=True, slots=True)
class Entry:
    """What was found below an image folder: a file, or a folder that stands for a lost one.

    Attributes: as those of `layout.SourceFile`.
    """

    path: bytes
    size: int = 0
    mtime_ns: int = 0
    readable: bool = False
    skipped: str | None = None
    problem: str | None = None


class FolderWalk:
    """What is found below a folder of this machine.

    Attributes:
        seen: folders that are not skipped, as their paths' parts: all that are named as a class,
            and the first ones of the others.
        closed: folders that cannot be opened or are not there, with why.
    """

    def __init__(self, root: bytes, names: ClassNames) -> None:
        self._root = root
        self._names = names
        self.seen: list[Parts] = []
        self.closed: list[tuple[bytes, str]] = []

    def entries(self) -> Iterator[Entry]:
        """Yields the files, links followed, and the folders that stand for a lost file."""
        return self._folder(b"", frozenset(), None)

    def size(self, relative: bytes) -> int | None:
        """Returns the size of a file; None where there is none."""
        try:
            found = os.stat(os.path.join(self._root, relative))
        except OSError:
            return None
        return None if stat.S_ISDIR(found.st_mode) else found.st_size

    def _folder(
        self, relative: bytes, above: frozenset[tuple[int, int]], skipped: str | None
    ) -> Iterator[Entry]:
        path = os.path.join(self._root, relative) if relative else self._root
        try:
            found = os.stat(path)
            identity = (found.st_dev, found.st_ino)
            if identity in above:
                problem = "link to a folder that it lies in"
                yield Entry(relative, skipped=skipped, problem=problem)
                return
            children = os.scandir(path)
            # Without the right to enter, names are listed and none can be opened.
            os.stat(os.path.join(path, b"."))
        except OSError as error:
            yield from self._closed(relative, error.strerror or "unknown error", skipped)
            return
        if not skipped:
            parts = tuple(map(as_text, relative.split(b"/"))) if relative else ()
            _see(self.seen, parts, self._names)
        is_empty = True
        with children:
            for entry in children:
                is_empty = False
                name, child = as_text(entry.name), os.path.join(relative, entry.name)
                if _is_folder(entry):
                    reason = skipped or passed_over.of_folder(name)
                    yield from self._folder(child, above | {identity}, reason)
                else:
                    yield from self._file(child, skipped or passed_over.of_file(name))
        if is_empty and relative.lower().endswith(_IMAGE_SUFFIXES):
            problem = "empty folder that is named like an image"
            yield Entry(relative, skipped=skipped, problem=problem)

    def _closed(self, relative: bytes, why: str, skipped: str | None) -> Iterator[Entry]:
        parts = [as_text(part) for part in relative.split(b"/")]
        if not skipped and (not relative or any(is_of_layout(part, self._names) for part in parts)):
            self.closed.append((relative, why))
            return
        problem = f"folder that cannot be opened: {why.lower()}"
        yield Entry(relative, skipped=skipped, problem=problem)

    def _file(self, relative: bytes, skipped: str | None) -> Iterator[Entry]:
        path = os.path.join(self._root, relative)
        name = as_text(os.path.basename(relative))
        try:
            found = os.stat(path)
        except OSError as error:
            is_link = os.path.islink(path)
            if is_link and not skipped and is_of_layout(name, self._names):
                self.closed.append((relative, "it is a link that leads nowhere"))
                return
            why = (error.strerror or "unknown error").lower()
            nowhere = is_link and error.errno == errno.ENOENT
            problem = "link that leads nowhere" if nowhere else f"cannot be opened: {why}"
            yield Entry(relative, skipped=skipped, problem=problem)
            return
        readable = stat.S_ISREG(found.st_mode)
        is_doubtful = not skipped and readable and passed_over.may_be_document(name)
        if is_doubtful and not _is_image(Path(os.fsdecode(path))):
            skipped = passed_over.DOCUMENT
        yield Entry(
            relative,
            size=found.st_size,
            mtime_ns=found.st_mtime_ns,
            readable=readable,
            skipped=skipped,
            problem=None if readable else NOT_REGULAR,
        )


def _is_folder(entry: os.DirEntry[bytes]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_image(file: Source) -> bool:
    try:
        return passed_over.is_image_head(read_range(file, 0, passed_over.HEAD))
    except OSError:
        # Reading it in earnest finds out why.
        return True


class ListWalk:
    """What is found below a folder in a store or in an archive, whose lists have files alone.

    Attributes: as those of `FolderWalk`.
    """

    def __init__(self, root: StorePath | ArchivePath, names: ClassNames) -> None:
        self._root = root
        self._names = names
        self.seen: list[Parts] = []
        self.closed: list[tuple[bytes, str]] = []

    def entries(self) -> Iterator[Entry]:
        """Yields the files.

        Raises:
            UserError: the folder or the archive cannot be listed.
        """
        known: set[Parts] = set()
        for path, size, mtime_ns, problem in _listed(self._root):
            *above, name = (as_text(part) for part in path.split(b"/"))
            skipped = next(filter(None, map(passed_over.of_folder, above)), None)
            skipped = skipped or passed_over.of_file(name)
            if isinstance(self._root, ArchivePath):
                skipped = skipped or passed_over.in_archive(name)
            if problem is None:
                if tuple(above) not in known:
                    self._see_new(tuple(above), known)
                is_doubtful = not skipped and passed_over.may_be_document(name)
                if is_doubtful and not _is_image(inside(self._root, path)):
                    skipped = passed_over.DOCUMENT
            yield Entry(path, size, mtime_ns, problem is None, skipped, problem)

    def size(self, relative: bytes) -> int | None:
        """Returns the size of a file; None where there is none."""
        try:
            return inside(self._root, relative).stat().st_size
        except FileNotFoundError:
            return None

    def _see_new(self, above: Parts, known: set[Parts]) -> None:
        for depth in range(len(above) + 1):
            folder = above[:depth]
            if folder and passed_over.of_folder(folder[-1]):
                return
            if folder not in known:
                known.add(folder)
                _see(self.seen, folder, self._names)


def _listed(root: StorePath | ArchivePath) -> Iterator[tuple[bytes, int, int, str | None]]:
    """Yields path, size, time of change, and why a file is not read."""
    if isinstance(root, ArchivePath):
        mtime_ns = root.stat().st_mtime_ns
        for path, member in root.files():
            yield path, member.size, mtime_ns, member.problem
        return
    for file in root.files():
        found = file.stat()
        yield file.below(root).encode(), found.st_size, found.st_mtime_ns, None


def walk(root: Source, names: ClassNames = UNDERSTOOD) -> FolderWalk | ListWalk:
    """Returns the walk below an image folder, or in an archive.

    Args:
        root: the folder or the archive.
        names: of the classes.
    """
    if isinstance(root, Path):
        return FolderWalk(os.fsencode(root), names)
    return ListWalk(root, names)


def _see(seen: list[Parts], parts: Parts, names: ClassNames) -> None:
    if len(seen) < LOOKED_AT or names.label_of(parts[-1]):
        seen.append(parts)
