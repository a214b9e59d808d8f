"""Object stores that speak S3: AWS's own, and MinIO and SeaweedFS, which Kubeflow brings along.

They are configured by the variables of AWS's tools: ``AWS_ENDPOINT_URL`` (http://host:port; AWS's
own if absent), ``AWS_REGION``, ``AWS_ACCESS_KEY_ID`` and ``AWS_SECRET_ACCESS_KEY``, or the role of
the machine. TensorFlow 2.21 has no such filesystem.
"""

import contextlib
import functools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

from pyarrow import fs

_SCHEMES: Final = ("s3", "minio")

# A store of one's own may be busy: its own defaults are 1 s, 3 s and 3 attempts.
_CONNECT_SECONDS: Final = 10
_SILENT_SECONDS: Final = 120
_ATTEMPTS: Final = 6

_REQUEST: Final = 8 << 20
"""Bytes of a request."""


def speaks_s3(uri: str) -> bool:
    """Returns whether a place is in such a store: s3://bucket/folder or minio://bucket/folder."""
    return uri.partition("://")[0] in _SCHEMES


def files(folder: str) -> list[str]:
    """Lists the files under a folder, at any depth, by their paths in it; none where it is not.

    Raises:
        OSError: the folder cannot be read.
    """
    return sorted(name for name, _, _ in listed(folder))


def listed(folder: str) -> Iterator[tuple[str, int, int]]:
    """Lists the files under a folder, at any depth; none where it is not.

    Yields:
        Path in the folder, size in bytes, time of change in nanoseconds, by the store's clock.

    Raises:
        OSError: the folder cannot be read.
    """
    place = _path(folder).rstrip("/")
    selector = fs.FileSelector(place, allow_not_found=True, recursive=True)
    for each in _filesystem().get_file_info(selector):
        if each.type == fs.FileType.File:
            yield each.path[len(place) + 1 :], int(each.size), int(each.mtime_ns)


def stat(file: str) -> tuple[int, int] | None:
    """Returns size and time of a file, as `listed`; None where there is none.

    Raises:
        OSError: it cannot be read.
    """
    (found,) = _filesystem().get_file_info([_path(file)])
    return (int(found.size), int(found.mtime_ns)) if found.type == fs.FileType.File else None


@contextmanager
def opened(file: str) -> Iterator[IO[bytes]]:
    """Opens a file for reading.

    Raises:
        FileNotFoundError: there is none.
        OSError: it cannot be read.
    """
    with _filesystem().open_input_stream(_path(file), buffer_size=_REQUEST) as stream:
        yield stream


def read_range(file: str, start: int, length: int) -> bytes:
    """Reads some bytes of a file, or as many as it has.

    Raises:
        FileNotFoundError: there is none.
        OSError: it cannot be read.
    """
    with _filesystem().open_input_file(_path(file)) as stream:
        return bytes(stream.read_at(length, start))


def upload(source: IO[bytes], file: str) -> None:
    """Writes a file, which is there only as a whole.

    Raises:
        OSError: it cannot be written.
    """
    with _filesystem().open_output_stream(_path(file)) as stream:
        shutil.copyfileobj(source, stream, _REQUEST)


def copy(source: str, target: str) -> None:
    """Copies a file within the store, which does it itself.

    Raises:
        FileNotFoundError: there is none.
        OSError: it cannot be read, or the copy cannot be written.
    """
    _filesystem().copy_file(_path(source), _path(target))


def remove(file: str) -> None:
    """Removes a file.

    Raises:
        FileNotFoundError: there is none.
        OSError: it cannot be removed.
    """
    _filesystem().delete_file(_path(file))


def remove_folder(folder: str) -> None:
    """Removes a folder with all that is in it, where it is there.

    Raises:
        OSError: it cannot be removed.
    """
    with contextlib.suppress(FileNotFoundError):
        _filesystem().delete_dir(_path(folder))


def _path(uri: str) -> str:
    return uri.partition("://")[2]


@functools.cache
def _filesystem() -> fs.S3FileSystem:
    scheme, _, host = os.environ.get("AWS_ENDPOINT_URL", "").rpartition("://")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return fs.S3FileSystem(
        endpoint_override=host or None,
        scheme=scheme or "https",
        # A store of one's own has any region; AWS's is looked up.
        region=region or ("us-east-1" if host else None),
        connect_timeout=_CONNECT_SECONDS,
        request_timeout=_SILENT_SECONDS,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
        # Written here, an error stops the writing and not a later one.
        background_writes=False,
    )
