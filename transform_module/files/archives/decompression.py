"""A tar file that is compressed as a whole, decompressed once.

What is compressed so can be read from its begin alone, and a conversion reads each image twice, in
an order of its own, by workers. Images hardly shrink, so that the uncompressed file is about as
large as the archive. It lies where the conversion keeps all that its workers share, and goes with
that: at the end, or where it was killed, with the next conversion to the same output.
"""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any, Final

from transform_module.errors import UserError
from transform_module.files.archives.archive_path import ArchivePath
from transform_module.files.archives.member_list import RATIO, SLACK, bomb
from transform_module.files.place import Place
from transform_module.files.store_path import StorePath

NAME: Final = "images.tar"

_PIECE: Final = 1 << 20

_XZ_MEMORY: Final = 256 << 20
"""Bytes that a decompressor of xz may use: `xz -9` needs 65 MiB."""


def decompressed(source: ArchivePath, folder: Place) -> ArchivePath:
    """Decompresses a tar file that is compressed; any other archive is returned as it is.

    Args:
        source: the archive.
        folder: where the uncompressed file is written, as NAME. All workers must see it.

    Raises:
        OSError: the archive cannot be read, or the folder cannot be written.
        UserError: it is damaged or a bomb; or it or the folder is in a store.
    """
    program = source.decompressor
    if program is None:
        return source
    if isinstance(source.archive, StorePath) or isinstance(folder, StorePath):
        raise UserError(
            f"{source} is compressed as a whole: it is read where both it and the output are on "
            f"this machine. Decompress it ({program} -d), or pack it as a zip file."
        )
    size = source.stat().st_size
    most, total = RATIO * size + SLACK, 0
    tar = folder / NAME
    with source.archive.open("rb") as packed, tar.open("wb") as target:
        pieces = _PROGRAMS[program](packed)
        while (piece := _next(pieces, source)) is not None:
            total += len(piece)
            if total > most:
                raise UserError(bomb(source, size))
            target.write(piece)
    return ArchivePath(source.archive, source.member, tar)


def _next(pieces: Iterator[bytes], source: ArchivePath) -> bytes | None:
    try:
        return next(pieces, None)
    except (EOFError, zlib.error, lzma.LZMAError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UserError(
            f"{source} cannot be decompressed: {str(error).rstrip('.')}. It is damaged or "
            "incomplete: copy or download it again."
        ) from error


def _gzip(packed: IO[bytes]) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=packed) as content:
        while piece := content.read(_PIECE):
            yield piece


def _streams(packed: IO[bytes], new: Callable[[], Any]) -> Iterator[bytes]:
    """Decompresses one stream, or several after one another."""
    piece = b""
    while piece or (piece := packed.read(_PIECE)):
        stream = new()
        while not stream.eof:
            if stream.needs_input and not piece and not (piece := packed.read(_PIECE)):
                raise EOFError("it ends too early")
            yield stream.decompress(piece, _PIECE)
            piece = b""
        # Between streams of xz there may be zeros.
        piece = stream.unused_data.lstrip(b"\0")


def _bzip2(packed: IO[bytes]) -> Iterator[bytes]:
    return _streams(packed, bz2.BZ2Decompressor)


def _xz(packed: IO[bytes]) -> Iterator[bytes]:
    return _streams(packed, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY))


_PROGRAMS: Final = {"gzip": _gzip, "bzip2": _bzip2, "xz": _xz}
