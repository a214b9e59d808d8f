"""Remote folders, such as gs://bucket/folder."""

import os
from collections.abc import Iterable

import tensorflow as tf


def is_remote(uri: str) -> bool:
    """Returns whether a place is not a local path."""
    return "://" in uri


def files(folder: str) -> list[str]:
    """Lists the files under a folder, at any depth, by their paths in it; none where it is not."""
    found = []
    for place, _, names in tf.io.gfile.walk(folder):
        inside = place[len(folder) :].strip("/")
        found += [os.path.join(inside, name) for name in names if name]
    return sorted(found)


def copy(source: str, target: str, names: Iterable[str]) -> None:
    """Copies files from folder to folder, in the order of their names.

    Args:
        source: the folder they are in.
        target: where they go; made where needed, and what is there is replaced.
        names: their paths in the folder.
    """
    for name in names:
        to = os.path.join(target, name)
        tf.io.gfile.makedirs(os.path.dirname(to))
        tf.io.gfile.copy(os.path.join(source, name), to, overwrite=True)
