"""Remote folders, such as gs://bucket/folder, for what works on local files."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import tensorflow as tf
from tfx import types


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


@contextmanager
def near(
    *, inputs: Iterable[types.Artifact] = (), outputs: Iterable[types.Artifact] = ()
) -> Iterator[None]:
    """Keeps remote artifacts in local folders while a component works on them.

    Artifacts that are local stay as they are. An input is copied here before, an output is copied
    there at the end, unless the block raises; then each has its own URI again.

    Args:
        inputs: what is read.
        outputs: what is written.
    """
    inputs, outputs = [list(_remote(each)) for each in (inputs, outputs)]
    uris = [(artifact, artifact.uri) for artifact in (*inputs, *outputs)]
    with tempfile.TemporaryDirectory(prefix="near-") as folder:
        try:
            for index, (artifact, uri) in enumerate(uris):
                artifact.uri = os.path.join(folder, str(index))
                if index < len(inputs):
                    copy(uri, artifact.uri, files(uri))
            yield
            for artifact, uri in uris[len(inputs) :]:
                copy(artifact.uri, uri, files(artifact.uri))
        finally:
            for artifact, uri in uris:
                artifact.uri = uri


def _remote(artifacts: Iterable[types.Artifact]) -> Iterator[types.Artifact]:
    return (artifact for artifact in artifacts if is_remote(artifact.uri))
