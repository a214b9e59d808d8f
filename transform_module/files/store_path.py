"""Paths in stores, such as s3://bucket/folder, with the part of `pathlib.Path` that is needed."""

from __future__ import annotations

import errno
import io
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from transform_module.errors import UserError

_LOG = logging.getLogger(__name__)

_HELD: Final = 8 << 20
"""Bytes of an object that are read into memory; a larger one is read into a temporary file."""


@dataclass(frozen=True, slots=True)
class Stat:
    """What a store lists of an object, named as in `os.stat_result`.

    Attributes:
        st_size: in bytes.
        st_mtime_ns: time of the last change by the store's clock, in nanoseconds.
    """

    st_size: int
    st_mtime_ns: int


@dataclass(frozen=True, slots=True)
class StorePath:
    """An object or a folder in a store.

    An object that is missing, or that this key may not read, raises what a local file does. Every
    other failure, as of a store that cannot be reached, is a UserError: it says nothing about the
    object.

    Attributes:
        address: such as ``s3://bucket/folder/file``.
    """

    address: str
    _stat: Stat | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return self.address

    def __truediv__(self, name: str) -> StorePath:
        return StorePath(f"{self.address}/{name}")

    def __rtruediv__(self, folder: Path) -> StorePath:
        # As an absolute path in any folder.
        return self

    @property
    def name(self) -> str:
        """The last part."""
        return self._path.name

    @property
    def suffix(self) -> str:
        """The extension of the name, with its dot."""
        return self._path.suffix

    @property
    def parent(self) -> StorePath:
        """What it lies in; a bucket lies in itself."""
        above, _, _ = self.address.rpartition("/")
        return self if above.endswith("/") else StorePath(above)

    def below(self, folder: StorePath) -> str:
        """Returns the path in a folder that it lies in."""
        return self.address.removeprefix(f"{folder}/")

    def with_name(self, name: str) -> StorePath:
        """Returns the path of another name in the same folder."""
        return self.parent / name

    @property
    def parents(self) -> list[StorePath]:
        """All that it lies in, the innermost first."""
        above = self.parent
        return [] if above == self else [above, *above.parents]

    def resolve(self) -> StorePath:
        """Returns the path: it is absolute, and a store has no links."""
        return self

    absolute = resolve

    def stat(self) -> Stat:
        """Returns size and time of change, without a request where a list had them.

        Raises:
            FileNotFoundError: there is no such object.
            PermissionError: it may not be looked up, though its folder may.
            UserError: the store does not say.
        """
        from transform_module.files import remote

        if self._stat:
            return self._stat
        with self._reading():
            found = remote.stat(self.address)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.address)
        return Stat(*found)

    def exists(self) -> bool:
        """Returns whether there is such an object; a folder is none."""
        try:
            self.stat()
        except FileNotFoundError:
            return False
        return True

    is_file = exists

    def files(self) -> Iterator[StorePath]:
        """Lists the objects below, at any depth, in any order; none where there is no folder.

        The list of a store that speaks S3 is held meanwhile: some 190 bytes an object.

        Raises:
            UserError: the folder cannot be listed.
        """
        from transform_module.files import remote

        listed = remote.listed(self.address)
        while True:
            with self.failing("listed"):
                found = next(listed, None)
            if found is None:
                return
            name, *facts = found
            yield StorePath(f"{self}/{name}", Stat(*facts))

    @contextmanager
    def open(
        self, mode: str = "r", *, encoding: str | None = None, newline: str | None = None
    ) -> Iterator[IO[Any]]:
        """Opens an object: what is read was read whole, and what is written appears whole.

        Nothing is written where the block raises.

        Args:
            mode: ``r`` or ``w``, with ``b`` for bytes.
            encoding: of text.
            newline: of text, as of `open`.

        Raises:
            FileNotFoundError: there is no such object to read.
            PermissionError: it may not be read, though its folder may.
            UserError: the store cannot be reached, or denies the writing.
        """
        with tempfile.SpooledTemporaryFile(_HELD) as content:
            if "r" in mode:
                self._fetch(content)
            stream: Any = content
            if "b" not in mode:
                stream = io.TextIOWrapper(content, encoding, newline=newline)
            yield stream
            if "w" in mode:
                stream.flush()
                content.seek(0)
                self.upload(content)

    def read_bytes(self) -> bytes:
        """Reads the object; see `open`."""
        with self.open("rb") as file:
            return bytes(file.read())

    def read_text(self, encoding: str) -> str:
        """Reads the object; see `open`."""
        return self.read_bytes().decode(encoding)

    def read_range(self, start: int, length: int) -> bytes:
        """Reads some bytes of the object, or as many as it has; see `open`."""
        from transform_module.files import remote

        with self._reading():
            return remote.read_range(self.address, start, length)

    def write_text(self, text: str, encoding: str) -> None:
        """Writes the object; see `open`."""
        self.upload(io.BytesIO(text.encode(encoding)))

    def upload(self, content: IO[Any]) -> None:
        """Writes what is left to read of an open file; see `open`."""
        from transform_module.files import remote

        with self.failing("written"):
            remote.upload(content, self.address)

    def copy_from(self, source: StorePath) -> None:
        """Writes what another object holds; see `open`."""
        from transform_module.files import remote

        with self.failing("written"):
            remote.copy_file(str(source), self.address)

    def unlink(self, missing_ok: bool = False) -> None:
        """Removes the object.

        Raises:
            FileNotFoundError: there is none, and that is not allowed.
            UserError: it cannot be removed.
        """
        from transform_module.files import remote

        try:
            with self.failing("removed"):
                remote.remove(self.address)
        except FileNotFoundError:
            if not missing_ok:
                raise

    def sweep(self) -> None:
        """Removes the folder with all that is in it; a warning says where that fails."""
        from transform_module.files import remote

        try:
            with self.failing("removed"):
                remote.remove_folder(self.address)
        except UserError as error:
            _LOG.warning("%s Remove it by hand.", error)

    @property
    def _path(self) -> PurePosixPath:
        return PurePosixPath(self.address.partition("://")[2])

    def _fetch(self, target: IO[bytes]) -> None:
        from transform_module.files import remote

        with self._reading(), remote.opened(self.address) as stream:
            shutil.copyfileobj(stream, target)
        target.seek(0)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        from transform_module.files import remote

        try:
            with self.failing("read"):
                yield
        except UserError as error:
            if not remote.is_denied(error.__cause__):
                raise
            # A key that was withdrawn is denied the folder, too, and every object in it.
            with self.parent.failing("looked up"):
                remote.stat(self.parent.address)
            reason = os.strerror(errno.EACCES)
            raise PermissionError(errno.EACCES, reason, self.address) from error

    @contextmanager
    def failing(self, what: str) -> Iterator[None]:
        """Raises the errors of this class for those of a store.

        Args:
            what: what is done with the object or the folder, such as ``read``.
        """
        from transform_module.files import remote

        try:
            yield
        except remote.NOT_FOUND as error:
            reason = os.strerror(errno.ENOENT)
            raise FileNotFoundError(errno.ENOENT, reason, self.address) from error
        except ValueError as error:
            # Arrow's, of a key that a path cannot be, such as a//b.
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), self.address) from error
        except remote.FAILED as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # this machine's, such as of a disk that is full
            advice = (
                "Check the permissions of its key"
                if remote.is_denied(error)
                else "Check that the store can be reached, and its address"
            )
            cause = next(iter(str(error).splitlines()), "no reason given").rstrip(".")
            raise UserError(f"{self} cannot be {what}: {cause}. {advice}.") from error
