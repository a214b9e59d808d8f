"""Paths in archives, such as images.zip/NORMAL/a.png, with the part of `pathlib.Path` needed."""

from __future__ import annotations

import errno
import functools
import io
import os
import re
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Final

from transform_module.errors import UserError
from transform_module.files.archives import tar_list, zip_list
from transform_module.files.archives.content import Content
from transform_module.files.archives.member_list import Member
from transform_module.files.place import Place, read_range
from transform_module.files.store_path import Stat, StorePath
from transform_module.text import shell_quoted

_PACKED: Final[dict[bytes, str]] = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz"}
"""How the compressed ones begin, and the programs that decompress them."""

_TAR_MAGIC: Final = b"ustar"
_TAR_MAGIC_AT: Final = 257

_NAMES: Final = re.compile(
    r".*\.(?:zip|tar|tgz|tbz2?|txz|tar\.(?:gz|bz2|xz))", re.IGNORECASE | re.DOTALL
)
_BUFFER: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class ArchivePath:
    """An archive, or a file in it. It is only read.

    Each process lists the members for itself, once; of the same archive all find the same.

    Attributes:
        archive: a zip or tar file; in a store, a zip file.
        member: the file's path in it, in bytes that may not be UTF-8; empty for the archive.
        tar: the content of a compressed tar file, uncompressed.
    """

    archive: Place
    member: bytes = b""
    tar: Path | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.archive}/{os.fsdecode(self.member)}" if self.member else str(self.archive)

    def __truediv__(self, name: str) -> ArchivePath:
        return self.inside(os.fsencode(name))

    def __rtruediv__(self, folder: Path) -> ArchivePath:
        if isinstance(self.archive, StorePath):
            return self
        return ArchivePath(folder / self.archive, self.member, self.tar)

    def inside(self, relative: bytes) -> ArchivePath:
        """Returns a path below it."""
        member = b"/".join(filter(None, (self.member, relative)))
        return ArchivePath(self.archive, member, self.tar)

    @property
    def name(self) -> str:
        """The last part."""
        return PurePosixPath(os.fsdecode(self.member)).name or self.archive.name

    @property
    def suffix(self) -> str:
        """The extension of the name, with its dot."""
        return PurePosixPath(self.name).suffix

    @property
    def parent(self) -> ArchivePath | Place:
        """What it lies in: of the archive, its folder."""
        if not self.member:
            return self.archive.parent
        return ArchivePath(self.archive, self.member.rpartition(b"/")[0], self.tar)

    def resolve(self) -> ArchivePath:
        """Returns the path in the archive's absolute path, links followed."""
        return ArchivePath(self.archive.resolve(), self.member, self.tar)

    def absolute(self) -> ArchivePath:
        """Returns the path in the archive's absolute path."""
        return ArchivePath(self.archive.absolute(), self.member, self.tar)

    def stat(self) -> Stat:
        """Returns the size that is declared, and the time of the archive's last change.

        Raises:
            FileNotFoundError: there is no such member.
            UserError: the archive cannot be read.
        """
        found = self.archive.stat()
        size = self._found().size if self.member else found.st_size
        return Stat(size, found.st_mtime_ns)

    def exists(self) -> bool:
        """Returns whether there is such a file; a folder is none."""
        try:
            self.stat()
        except FileNotFoundError:
            return False
        return True

    is_file = exists

    def files(self) -> Iterator[tuple[bytes, Member]]:
        """Lists the files in the archive, at any depth, in its order.

        Raises:
            UserError: it cannot be read, is damaged, a bomb, or compressed as a whole.
        """
        yield from self._members().items()

    @contextmanager
    def open(self, mode: str = "rb") -> Iterator[IO[bytes]]:
        """Opens the file for reading its bytes, piece by piece.

        Raises:
            FileNotFoundError: there is no such member.
            OSError: it cannot be read, or not as it is declared; reading raises that, too.
            UserError: the archive cannot be read.
        """
        if mode != "rb":
            raise ValueError(f"A file in an archive is opened for reading bytes, not as {mode}.")
        with io.BufferedReader(Content(self._data, self._found()), _BUFFER) as content:
            yield content

    def read_bytes(self) -> bytes:
        """Reads the file; see `open`."""
        with self.open() as content:
            return content.read()

    def read_range(self, start: int, length: int) -> bytes:
        """Reads some bytes of the file, or as many as it has; see `open`."""
        with self.open() as content:
            while start and (skipped := content.read(min(start, _BUFFER))):
                start -= len(skipped)
            return content.read(length)

    @property
    def decompressor(self) -> str | None:
        """The program that decompresses it: gzip, bzip2 or xz; None where it has random access.

        Raises:
            OSError, UserError: the archive cannot be read.
        """
        if self.tar:
            return None
        return _decompressor(read_range(self.archive, 0, max(map(len, _PACKED))))

    @property
    def _data(self) -> Place:
        return self.tar or self.archive

    def _found(self) -> Member:
        member = self._members().get(self.member)
        if member is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self))
        return member

    def _members(self) -> dict[bytes, Member]:
        try:
            found = self._data.stat()
            with _LISTING:
                return _listed(self._data, str(self.archive), found.st_size, found.st_mtime_ns)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise UserError(f"{self.archive} cannot be read: {why}.") from error


_LISTING: Final = threading.Lock()
"""Threads that read an archive wait for the one that lists it."""


@functools.lru_cache(maxsize=4)
def _listed(data: Place, shown: str, size: int, mtime_ns: int) -> dict[bytes, Member]:
    """Lists an archive; anew where it has changed since.

    Args:
        data: the archive, or its uncompressed content.
        shown: the archive, as messages name it.
        size: of the data, in bytes.
        mtime_ns: its time of change, in nanoseconds.
    """
    head = read_range(data, 0, tarfile.BLOCKSIZE)
    if head.startswith(zip_list.SIGNATURES) or data.suffix.lower() == ".zip":
        return zip_list.listed(data)
    if program := _decompressor(head):
        raise UserError(
            f"{shown} is compressed as a whole, so that its files cannot be read one by one. "
            f"Decompress it, and give what it makes: {program} -dk {shell_quoted(shown)}"
        )
    if head[_TAR_MAGIC_AT:].startswith(_TAR_MAGIC) or data.suffix.lower() == ".tar":
        if isinstance(data, StorePath):
            raise UserError(
                f"{shown} is a tar file in a store, which each process would read as a whole. Copy "
                "it to this machine, or pack it as a zip file."
            )
        return tar_list.listed(data, shown)
    raise UserError(f"{shown} is neither a zip file nor a tar file, whatever its name.")


def _decompressor(head: bytes) -> str | None:
    return next((name for magic, name in _PACKED.items() if head.startswith(magic)), None)


def is_named_as_archive(name: str) -> bool:
    """Returns whether a file has the name of an archive that is read."""
    return _NAMES.fullmatch(name) is not None
