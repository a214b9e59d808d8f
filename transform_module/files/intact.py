"""Damage of files: what differs from their recorded checksums."""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from typing import IO, Final

from transform_module.files.place import Place, names_below

_CHUNK: Final = 1 << 20


def sha256(path: Place) -> str:
    """Computes the SHA-256 of a file.

    Args:
        path: the file.

    Returns:
        64 hexadecimal digits.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return sha256_of(file)


def sha256_of(file: IO[bytes]) -> str:
    """Computes the SHA-256 of what is left to read of an open file."""
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def damage(
    folder: Place, expected: Mapping[str, str], beside: Collection[str] = ()
) -> Iterator[str]:
    """Compares the files under a folder with their checksums.

    Every byte is read: size and time of change are also those of a file with a flipped bit. That
    costs about a second for each gigabyte.

    Args:
        folder: the folder.
        expected: as `transform_module.files.sums.sums` returned it.
        beside: files that may be there and are not compared.

    Yields:
        A few words for each problem, with the file's path: it is missing, changed, unreadable, or
        does not belong there.
    """
    found = set(names_below(folder))
    for name, wanted in sorted(expected.items()):
        path = folder / name
        if name not in found:
            yield f"{path} is missing"
            continue
        try:
            if sha256(path) != wanted:
                yield f"{path} is damaged"
        except OSError as error:
            yield f"{path} cannot be read ({error.strerror})"
    for name in sorted(found - set(expected) - set(beside)):
        yield f"{folder / name} does not belong there"
