"""Paths as they are given: local ones, and addresses of a bucket or a server."""

import os
import re
from pathlib import Path
from typing import Final

from transform_module.errors import UserError
from transform_module.files.archives.archive_path import ArchivePath, is_named_as_archive
from transform_module.files.place import Place
from transform_module.files.source_path import Source
from transform_module.files.store_path import StorePath

# `Path` makes one slash of two.
_REMOTE: Final = re.compile(
    r"(?:^|/)(?P<scheme>gs|gcs|s3a?|minio|r2|hdfs|viewfs|az|adl|abfss?|wasbs?|dbfs|https?|ftps?|sftp|ssh"
    r"|smb|file):/+(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)

# The last one is TensorFlow's file system in memory.
_READ: Final = re.compile(r"(?P<scheme>s3|minio|gs|ram):/+(?P<rest>.*)$", re.IGNORECASE | re.DOTALL)


def place_of(given: str | Place, what: str) -> Place:
    """Returns the place that a path or an address names.

    Args:
        given: a path, or an address of which `store_path` makes one.
        what: what it is, such as ``The output``.

    Raises:
        UserError: it is another address, or names no bucket.
    """
    if isinstance(given, StorePath):
        return given
    if stored := store_path(given):
        if not stored.address.partition("://")[2]:
            raise UserError(f"{what} must name a bucket, as s3://bucket/folder; received {given}.")
        return stored
    require_local(given, what)
    return Path(given)


def source_of(given: str | Source, what: str) -> Source:
    """Returns the folder or the archive that a path or an address names, to read from.

    Args:
        given: as of `place_of`.
        what: what it is, such as ``The image folder``.

    Raises:
        UserError: it is another address, or names no bucket; or a store cannot be reached.
    """
    if isinstance(given, ArchivePath):
        return given
    place = place_of(given, what)
    return archive_at(place) or place


def archive_at(place: Place) -> ArchivePath | None:
    """Returns the archive at a path; None where there is no file, or not one named so.

    Raises:
        UserError: a store cannot be reached.
    """
    if not is_named_as_archive(place.name):
        return None
    if isinstance(place, StorePath):
        # Looked up once, and not again for each of its files.
        return ArchivePath(StorePath(place.address, place.stat())) if place.is_file() else None
    # Unlike Path's own, it takes a path that the system refuses, too.
    return ArchivePath(place) if os.path.isfile(place) else None


def store_path(given: str | Path) -> StorePath | None:
    """Returns the path in a store that can be read: s3://, minio:// or gs://; None for others."""
    match = _READ.match(str(given))
    return StorePath(f"{match['scheme'].lower()}://{match['rest']}".rstrip("/")) if match else None


def remote_address(path: str | Path) -> str | None:
    """Returns the address that a path stands for, such as ``gs://bucket/folder``.

    Args:
        path: as it was given, or made absolute since.

    Returns:
        The address with both slashes; None where the path is local.
    """
    match = _REMOTE.search(str(path))
    return f"{match['scheme'].lower()}://{match['rest']}" if match else None


def require_local(path: str | Path, what: str) -> None:
    """Refuses an address where a local path is needed.

    Args:
        path: see `remote_address`.
        what: what the path is, such as ``The output``.

    Raises:
        UserError: it is an address.
    """
    address = remote_address(path)
    if address is None:
        return
    if address.startswith("file:"):
        advice = f"Give the path alone: /{address.removeprefix('file://').lstrip('/')}"
    else:
        advice = (
            "Copy between this machine and there with the tool of that storage, such as "
            "`gcloud storage cp --recursive` or `aws s3 cp --recursive`."
        )
    raise UserError(f"{what} must be a local path; received {address}. {advice}")
