"""The members of an uncompressed tar file, by the headers before them."""

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from transform_module.errors import UserError
from transform_module.files.archives import member_list
from transform_module.files.archives.member_list import Member, Members

_LONGEST_HEADER: Final = 1 << 20
"""Bytes of an extended header; that of a file has a few hundred."""

_DAMAGED: Final = (
    tarfile.TarError,
    ValueError,
    ArithmeticError,
    LookupError,
    EOFError,
    # Headers that extend one another.
    RecursionError,
)
"""What `tarfile` raises of headers that make no sense."""


def listed(tar: Path, archive: object) -> dict[bytes, Member]:
    """Lists the files in a tar file, by path. A hard link is the file that it leads to.

    Args:
        tar: the file.
        archive: as messages name it.

    Raises:
        OSError: it cannot be read.
        UserError: it is damaged, incomplete, or a bomb.
    """
    found = Members(archive, tar.stat().st_size)
    with tar.open("rb") as content:
        try:
            headers: Any = _Headers(content)
            with tarfile.TarFile(
                fileobj=headers, encoding="utf-8", errors="surrogateescape"
            ) as opened:
                for name, info in _entries(opened):
                    found.add(name, _member(info, found))
                end = opened.offset
        except _DAMAGED as error:
            raise UserError(
                _damaged(archive, str(error) or "its headers cannot be read")
            ) from error
        # `tarfile` stops without an error at what is not a header.
        content.seek(end)
        if content.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
            raise UserError(_damaged(archive, f"no header, and no end, at byte {end:,}"))
    return found.found


def _entries(opened: Any) -> Iterator[tuple[bytes, tarfile.TarInfo]]:
    before = -1
    while (info := opened.next()) is not None:
        # A declared size may be negative, too, and lead back.
        if info.size < 0 or opened.offset <= before:
            raise tarfile.ReadError("a header that leads back")
        before = opened.offset
        # It would hold all of them, in an attribute that is not in its types.
        opened.members = []
        if not info.isdir():
            yield info.name.encode("utf-8", "surrogateescape"), info


def _member(info: tarfile.TarInfo, found: Members) -> Member:
    if info.islnk():
        name = info.linkname.encode("utf-8", "surrogateescape")
        return found.linked(name) or Member(0, 0, 0, problem=member_list.LINK)
    member = Member(info.offset_data, info.size, info.size)
    if info.issym():
        return member._replace(size=0, problem=member_list.LINK)
    if info.issparse():
        return member._replace(problem=member_list.SPARSE)
    if not info.isreg():
        return member._replace(size=0, problem=member_list.NO_FILE)
    return member


class _Headers:
    """A tar file of which no more than a header can be read at once.

    `tarfile` reads an extended header of any declared length into memory.
    """

    def __init__(self, content: Any) -> None:
        self._content = content
        self.seek, self.tell = content.seek, content.tell
        self.name, self.mode = content.name, "rb"

    def read(self, length: int) -> Any:
        """Reads some bytes.

        Raises:
            tarfile.ReadError: they are more than a header has.
        """
        if not 0 <= length <= _LONGEST_HEADER:
            raise tarfile.ReadError(f"a header of {length:,} bytes")
        return self._content.read(length)


def _damaged(archive: object, why: str) -> str:
    return (
        f"{archive} cannot be read as a tar file: {why}. It is damaged or incomplete: copy or "
        "download it again."
    )
