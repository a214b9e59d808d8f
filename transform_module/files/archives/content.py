"""The content of one member of an archive: read as a stream, never more than is declared."""

import errno
import io
import zlib
from collections.abc import Iterator
from typing import Any, Final

from transform_module.files.archives.member_list import Member
from transform_module.files.archives.zip_list import content_start
from transform_module.files.place import Place, read_range

_PIECE: Final = 4 << 20
"""Bytes that are read, and unpacked, at once."""


class Content(io.RawIOBase):
    """The content of a member, from its begin to its end.

    Reading raises an OSError where the content is not what the archive declares: of another length,
    with another checksum, or not readable at all.
    """

    def __init__(self, archive: Place, member: Member) -> None:
        """Opens a member.

        Args:
            archive: a zip file, or an uncompressed tar file.
            member: as it is listed.

        Raises:
            OSError: it is not to be read, or its header cannot be.
        """
        super().__init__()
        if member.problem:
            raise OSError(errno.EINVAL, member.problem)
        self._pieces = _checked(_unpacked(archive, member), member)
        self._left = memoryview(b"")

    def readable(self) -> bool:
        """Returns that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Reads the next bytes; see `io.RawIOBase`."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        target = memoryview(buffer).cast("B")
        length = min(len(target), len(self._left))
        target[:length] = self._left[:length]
        self._left = self._left[length:]
        return length


def _unpacked(archive: Place, member: Member) -> Iterator[bytes]:
    start = member.start if member.crc is None else content_start(archive, member)
    packed = _packed(archive, start, member.packed)
    return _inflated(packed) if member.deflated else packed


def _packed(archive: Place, start: int, length: int) -> Iterator[bytes]:
    end = start + length
    while start < end:
        piece = read_range(archive, start, min(_PIECE, end - start))
        if not piece:
            raise _damaged("the archive ends within it")
        yield piece
        start += len(piece)


def _inflated(packed: Iterator[bytes]) -> Iterator[bytes]:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for piece in packed:
            while piece and not inflate.eof:
                yield inflate.decompress(piece, _PIECE)
                piece = inflate.unconsumed_tail
        while rest := inflate.decompress(b"", _PIECE):
            yield rest
    except zlib.error as error:
        raise _damaged("it cannot be unpacked") from error


def _checked(pieces: Iterator[bytes], member: Member) -> Iterator[bytes]:
    size, crc = 0, 0
    for piece in pieces:
        size += len(piece)
        if size > member.size:
            raise _damaged(f"more than the {member.size:,} bytes that are declared")
        crc = zlib.crc32(piece, crc)
        yield piece
    if size < member.size:
        raise _damaged(f"{size:,} of the {member.size:,} bytes that are declared")
    if member.crc not in (None, crc):
        raise _damaged("it differs from its checksum")


def _damaged(why: str) -> OSError:
    return OSError(errno.EIO, f"damaged in the archive: {why}")
