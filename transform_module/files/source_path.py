"""Where images come from: a local path, one in a store, or one in an archive."""

from pathlib import Path

from transform_module.files import place
from transform_module.files.archives.archive_path import ArchivePath
from transform_module.files.store_path import StorePath

Source = Path | StorePath | ArchivePath
"""A path of which files are read and listed. What `ArchivePath` has works with each."""


def inside(folder: Source, relative: bytes) -> Source:
    """Returns a path in a folder or an archive.

    Args:
        folder: the folder.
        relative: in the bytes of the file system, which may not be UTF-8; a store's are.
    """
    if isinstance(folder, ArchivePath):
        return folder.inside(relative)
    return place.inside(folder, relative)


def read_range(file: Source, start: int, length: int) -> bytes:
    """Reads some bytes of a file.

    Raises:
        OSError, UserError: see `StorePath.open` and `ArchivePath.open`.
    """
    if isinstance(file, ArchivePath):
        return file.read_range(start, length)
    return place.read_range(file, start, length)
