"""Remote files and folders, such as gs://bucket/folder: S3's by `s3`, all others by TensorFlow."""

import io
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Final

import tensorflow as tf

from transform_module.files import s3

NOT_FOUND: Final = (FileNotFoundError, tf.errors.NotFoundError)
"""What is raised of a file that is not there."""

FAILED: Final = (OSError, tf.errors.OpError)
"""What is raised of anything else, and of a file that is not there."""

_DENIED: Final = re.compile(r"ACCESS_DENIED|HTTP status 403")


def is_denied(error: BaseException | None) -> bool:
    """Returns whether a store refused what was tried for lack of permission."""
    return isinstance(error, tf.errors.PermissionDeniedError) or (
        isinstance(error, OSError) and _DENIED.search(str(error)) is not None
    )


def is_remote(uri: str) -> bool:
    """Returns whether a place is not a local path."""
    return "://" in uri


def files(folder: str) -> list[str]:
    """Lists the files under a folder, at any depth, by their paths in it; none where it is not."""
    if s3.speaks_s3(folder):
        return s3.files(folder)
    found = []
    for place, _, names in tf.io.gfile.walk(folder):
        inside = place[len(folder) :].strip("/")
        found += [os.path.join(inside, name) for name in names if name]
    return sorted(found)


def listed(folder: str) -> Iterator[tuple[str, int, int]]:
    """Lists the files under a folder, at any depth; none where it is not.

    Yields:
        Path in the folder, size in bytes, time of change as of `modified`.
    """
    if s3.speaks_s3(folder):
        yield from s3.listed(folder)
        return
    for name in files(folder):
        if found := stat(os.path.join(folder, name)):
            yield name, *found


def names(folder: str) -> list[str]:
    """Lists what is right in a folder; nothing where it is not.

    Raises:
        OSError, tf.errors.OpError: it cannot be read.
    """
    if s3.speaks_s3(folder):
        return sorted({name.partition("/")[0] for name in s3.files(folder)})
    try:
        # Listing takes every failure for a folder that is not there.
        tf.io.gfile.stat(folder)
    except tf.errors.NotFoundError:
        return []
    return sorted(name.rstrip("/") for name in tf.io.gfile.listdir(folder))


def modified(file: str) -> int | None:
    """Returns the time of a file in nanoseconds, by the store's clock; None where there is none."""
    found = stat(file)
    return found[1] if found else None


def stat(file: str) -> tuple[int, int] | None:
    """Returns the size of a file in bytes, and its time as `modified`; None where there is none."""
    if s3.speaks_s3(file):
        return s3.stat(file)
    try:
        found = tf.io.gfile.stat(file)
    except tf.errors.NotFoundError:
        return None
    return int(found.length), int(found.mtime_nsec)


@contextmanager
def opened(file: str) -> Iterator[IO[bytes]]:
    """Opens a file for reading; it may be local."""
    if s3.speaks_s3(file):
        with s3.opened(file) as stream:
            yield stream
    else:
        with tf.io.gfile.GFile(file, "rb") as stream:
            yield stream


def read_range(file: str, start: int, length: int) -> bytes:
    """Reads some bytes of a file, or as many as it has."""
    if s3.speaks_s3(file):
        return s3.read_range(file, start, length)
    with tf.io.gfile.GFile(file, "rb") as stream:
        stream.seek(start)
        return bytes(stream.read(length))


def write(file: str, text: str) -> None:
    """Writes a file, and its folder where it has none yet."""
    upload(io.BytesIO(text.encode()), file)


def upload(source: IO[bytes], file: str) -> None:
    """Writes what is left to read of an open file, and the folder where it has none yet."""
    if s3.speaks_s3(file):
        s3.upload(source, file)
        return
    tf.io.gfile.makedirs(os.path.dirname(file))
    with tf.io.gfile.GFile(file, "wb") as stream:
        stream.write(b"")  # makes the file, which may be empty
        shutil.copyfileobj(source, stream)


def remove(file: str) -> None:
    """Removes a file."""
    if s3.speaks_s3(file):
        s3.remove(file)
    else:
        tf.io.gfile.remove(file)


def remove_folder(folder: str) -> None:
    """Removes a folder with all that is in it, where it is there."""
    if s3.speaks_s3(folder):
        s3.remove_folder(folder)
    elif tf.io.gfile.exists(folder):
        tf.io.gfile.rmtree(folder)


def copy(source: str, target: str, names: Iterable[str]) -> None:
    """Copies files from folder to folder, in the order of their names.

    Args:
        source: the folder they are in.
        target: where they go; made where needed, and what is there is replaced.
        names: their paths in the folder.
    """
    for name in names:
        copy_file(os.path.join(source, name), os.path.join(target, name))


def copy_file(source: str, target: str) -> None:
    """Copies a file, and replaces what is there; either may be local."""
    if s3.speaks_s3(source) and s3.speaks_s3(target):
        s3.copy(source, target)
    elif s3.speaks_s3(source) or s3.speaks_s3(target):
        with opened(source) as file:
            upload(file, target)
    else:
        tf.io.gfile.makedirs(os.path.dirname(target))
        tf.io.gfile.copy(source, target, overwrite=True)
