"""The seal of an artifact: checksums of its files and properties, kept in the metadata store.

A cached artifact whose files differ from its seal is damaged: it was cut, flipped, removed or added
to after its component had finished.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ml_metadata.proto import metadata_store_pb2
from tfx import types

from transform_module.files import intact
from transform_module.files.sums import sums

_FILES: Final = "files"
_DIGEST: Final = "content"

# TFX adds these by itself, and they say when and where an artifact was made, not what it is.
_NOT_CONTENT: Final = (
    _FILES,
    _DIGEST,
    "input_fingerprint",
    "is_external",
    "name",
    "pipeline_name",
    "producer_component",
    "state",
    "tfx_version",
)


def seal(artifact: metadata_store_pb2.Artifact) -> None:
    """Adds checksums to an artifact whose component has finished.

    Does nothing where the component left no folder: such an artifact is never taken from the cache.

    Args:
        artifact: with its files in place, and with all properties that the component gives it.
    """
    folder = Path(artifact.uri)
    if not folder.is_dir():
        return
    files = json.dumps(sums(folder), sort_keys=True)
    artifact.custom_properties[_FILES].string_value = files
    artifact.custom_properties[_DIGEST].string_value = _digest(artifact, files)


def is_sealed(artifact: metadata_store_pb2.Artifact) -> bool:
    """Returns whether an artifact has checksums."""
    return {_FILES, _DIGEST} <= set(artifact.custom_properties)


def damage(artifact: metadata_store_pb2.Artifact) -> Iterator[str]:
    """Compares a sealed artifact with its checksums.

    Args:
        artifact: as the metadata store has it.

    Yields:
        A few words for each problem, with the file.
    """
    files = artifact.custom_properties[_FILES].string_value
    if artifact.custom_properties[_DIGEST].string_value != _digest(artifact, files):
        yield f"the metadata of {artifact.uri} is damaged"
    else:
        yield from intact.damage(Path(artifact.uri), json.loads(files))


def content(artifact: types.Artifact) -> str:
    """Returns what an artifact is in a cache key: equal for equal files and properties.

    Args:
        artifact: an input of a component.

    Returns:
        Its digest where it is sealed, else its identity in the store.
    """
    found = artifact.mlmd_artifact.custom_properties
    if is_sealed(artifact.mlmd_artifact):
        return f"{artifact.type_name} {found[_DIGEST].string_value}"
    return f"{artifact.type_name} {artifact.id} {artifact.uri}"


def _digest(artifact: metadata_store_pb2.Artifact, files: str) -> str:
    described = [files, _values(artifact.properties), _values(artifact.custom_properties)]
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def _values(properties: Mapping[str, metadata_store_pb2.Value]) -> dict[str, Any]:
    return {
        name: str(value).strip() for name, value in properties.items() if name not in _NOT_CONTENT
    }
