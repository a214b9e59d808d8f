"""Remote files and folders, such as gs://bucket/folder: S3's by `s3`, all others by TensorFlow."""

import io
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Final

import tensorflow as tf

from transform_module.files import s3

NOT_FOUND: Final = (FileNotFoundError, tf.errors.NotFoundError)
"""What is raised of a file that is not there; other errors are OSError or tf.errors.OpError."""


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
    if s3.speaks_s3(file):
        return s3.modified(file)
    try:
        return int(tf.io.gfile.stat(file).mtime_nsec)
    except tf.errors.NotFoundError:
        return None


@contextmanager
def opened(file: str) -> Iterator[IO[bytes]]:
    """Opens a file for reading; it may be local."""
    if s3.speaks_s3(file):
        with s3.opened(file) as stream:
            yield stream
    else:
        with tf.io.gfile.GFile(file, "rb") as stream:
            yield stream


def write(file: str, text: str) -> None:
    """Writes a file, and its folder where it has none yet."""
    if s3.speaks_s3(file):
        s3.upload(io.BytesIO(text.encode()), file)
        return
    tf.io.gfile.makedirs(os.path.dirname(file))
    with tf.io.gfile.GFile(file, "w") as stream:
        stream.write(text)


def remove(file: str) -> None:
    """Removes a file."""
    if s3.speaks_s3(file):
        s3.remove(file)
    else:
        tf.io.gfile.remove(file)


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
    if s3.speaks_s3(target):
        with opened(source) as file:
            s3.upload(file, target)
        return
    tf.io.gfile.makedirs(os.path.dirname(target))
    if s3.speaks_s3(source):
        with s3.opened(source) as file, tf.io.gfile.GFile(target, "wb") as copied:
            copied.write(b"")  # makes the file, which may be empty
            shutil.copyfileobj(file, copied)
    else:
        tf.io.gfile.copy(source, target, overwrite=True)
