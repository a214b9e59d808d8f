"""Artifacts of a remote root as local folders, while a component works on them."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from tfx import types

from transform_module.files.remote import copy, files, is_remote


@contextmanager
def local_copies(
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
    with tempfile.TemporaryDirectory(prefix="copies-") as folder:
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
