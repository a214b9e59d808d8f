"""Local paths and paths in stores, where one differs from the other."""

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from transform_module.files.store_path import StorePath

Place = Path | StorePath
"""A local path or one in a store. What `StorePath` has works with either."""


def inside(folder: Place, relative: bytes) -> Place:
    """Returns a path in a folder.

    Args:
        folder: the folder.
        relative: in the bytes of the file system, which may not be UTF-8; a store's are.
    """
    if isinstance(folder, StorePath):
        return folder / relative.decode()
    return folder / os.fsdecode(relative)


def names_below(folder: Place) -> list[str]:
    """Lists the files under a folder, at any depth, by their paths in it, sorted.

    Raises:
        UserError: a folder in a store cannot be listed.
    """
    if isinstance(folder, StorePath):
        return sorted(file.below(folder) for file in folder.files())
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()
    )


def read_range(file: Place, start: int, length: int) -> bytes:
    """Reads some bytes of a file.

    Raises:
        OSError, UserError: see `StorePath.open`.
    """
    if isinstance(file, StorePath):
        return file.read_range(start, length)
    with file.open("rb") as content:
        content.seek(start)
        return content.read(length)


@contextmanager
def written(file: Place) -> Iterator[Path]:
    """Yields a local path to write to, of a file that appears as a whole when the block ends.

    Processes that write one file at the same time do not mix it. The folder of the file is made.
    """
    if isinstance(file, StorePath):
        with tempfile.TemporaryDirectory(prefix="cxr-") as place:
            local = Path(place, file.name)
            yield local
            with local.open("rb") as content:
                file.upload(content)
        return
    file.parent.mkdir(exist_ok=True)
    attempt = file.with_name(f"{file.name}.{uuid.uuid4().hex}")
    yield attempt
    os.replace(attempt, file)


def move(source: Place, target: Place) -> None:
    """Puts a file into the place of another, in the same file system or store."""
    if isinstance(source, StorePath) and isinstance(target, StorePath):
        target.copy_from(source)
        source.unlink()
    else:
        os.replace(str(source), str(target))
