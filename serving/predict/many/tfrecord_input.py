"""Images in TFRecord files: examples with the feature ``image`` and perhaps ``filename``."""

import gzip
import os
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeGuard

from serving.images import reasons
from serving.predict.files import Content
from transform_module.contract import FILENAME, IMAGE, MAXIMUM_BYTES
from transform_module.errors import UserError
from transform_module.files.archives.archive_path import ArchivePath
from transform_module.files.place import Place
from transform_module.files.source_path import Source
from transform_module.files.store_path import StorePath

_SUFFIXES = (".tfrecord", ".tfrecord.gz")
_FIRST_BYTES = 1 << 20
"""So many bytes of a file in a store hold its first record, or else all are read."""

_FRAME = 16
"""The bytes around a record: its length and two checksums."""


def is_records(file: Source) -> TypeGuard[Place]:
    """Returns whether a file holds records, by its name; a missing one is read like an image."""
    if isinstance(file, ArchivePath):
        return False
    is_named_so = file.name.lower().endswith(_SUFFIXES)
    if isinstance(file, StorePath):
        return is_named_so and file.exists()
    return is_named_so and os.path.lexists(file)


def estimate(file: Place) -> int:
    """Returns how many records a file holds, by the size of the first.

    Raises:
        UserError: the file cannot be read at all, or its first record has no image.
    """
    import tensorflow as tf

    # A pipe would be waited for.
    if not file.is_file():
        raise UserError(f"{file} cannot be read as a TFRecord file: it is not a file.")
    try:
        first = _first(file)
    except tf.errors.OpError as error:
        damaged = isinstance(error, tf.errors.DataLossError)
        why = "its first record is damaged" if damaged else error.message
        raise UserError(f"{file} cannot be read as a TFRecord file: {why}.") from error
    if first is None:
        return 0
    if IMAGE not in _features(first):
        raise UserError(f"{file} holds no images: its first record has no feature {IMAGE}.")
    return max(1, file.stat().st_size // (len(first) + _FRAME))


def images(file: Place, name: Source, damaged: Callable[[str], None]) -> Iterator[Content]:
    """Reads the images of a file up to its end or its damage.

    Args:
        file: the file.
        name: how messages name it.
        damaged: gets a sentence where the file is damaged.

    Yields:
        Each image: its feature ``filename``, or NAME#NUMBER, with what it holds.
    """
    with _local(file) as local:
        yield from _images(local, name, damaged)


def _first(file: Place) -> bytes | None:
    import tensorflow as tf

    if isinstance(file, StorePath) and file.stat().st_size > _FIRST_BYTES:
        with suppress(tf.errors.DataLossError), _local(file, _FIRST_BYTES) as local:
            if first := next(_records(local), None):
                return first
    with _local(file) as local:
        return next(_records(local), None)


@contextmanager
def _local(file: Place, most: int | None = None) -> Iterator[Path]:
    """Yields a file of this machine, which TensorFlow reads from no store that speaks S3.

    Args:
        file: a local one is yielded itself.
        most: bytes that are needed of it; None needs all.
    """
    if not isinstance(file, StorePath):
        yield file
        return
    with tempfile.TemporaryDirectory(prefix="cxr-") as folder:
        copy = Path(folder, file.name)
        if most is None:
            with file.open("rb") as content, copy.open("wb") as target:
                shutil.copyfileobj(content, target)
        else:
            copy.write_bytes(file.read_range(0, most))
        yield copy


def _images(file: Path, name: Source, damaged: Callable[[str], None]) -> Iterator[Content]:
    import tensorflow as tf

    count = size = 0
    records = _records(file)
    while True:
        try:
            record = next(records, None)
        except tf.errors.DataLossError:
            break
        if record is None:
            if not (_is_gzip(file) and _is_cut_off(file, size)):
                return
            break
        yield _image(record, f"{name}#{count}")
        count += 1
        size += len(record) + _FRAME
    damaged(f"{name} is damaged after {count} images; what follows them is lost.")


def _records(file: Path) -> Iterator[bytes]:
    import tensorflow as tf

    compression = "GZIP" if _is_gzip(file) else ""
    dataset = tf.data.TFRecordDataset(os.fsencode(file), compression_type=compression)
    return iter(dataset.as_numpy_iterator())


def _is_gzip(file: Path) -> bool:
    return file.suffix.lower() == ".gz"


def _is_cut_off(file: Path, size: int) -> bool:
    """Returns what TensorFlow does not: whether a GZIP file lacks its end, between two records.

    Args:
        file: the file.
        size: the bytes that were read of it, without the compression.
    """
    with file.open("rb") as raw:
        packed = raw.seek(0, os.SEEK_END)
        raw.seek(max(0, packed - 4))
        if packed and int.from_bytes(raw.read(), "little") == size % 2**32:
            return False
    try:
        with gzip.open(file) as content:
            while content.read(1024 * 1024):
                pass
    except (EOFError, OSError, zlib.error):
        return True
    return packed == 0


def _image(record: bytes, unnamed: str) -> Content:
    found = _features(record)
    name = Path(os.fsdecode(found.get(FILENAME) or unnamed))
    image = found.get(IMAGE)
    if image is None:
        return name, f"record without the feature {IMAGE}"
    if len(image) > MAXIMUM_BYTES:
        return name, reasons.too_large(MAXIMUM_BYTES)
    return name, image


def _features(record: bytes) -> dict[str, bytes]:
    """Takes the first bytes of each feature of an example; nothing of what is not an example."""
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    try:
        found = tf.train.Example.FromString(record).features.feature
    except DecodeError:
        return {}
    return {
        name: feature.bytes_list.value[0]
        for name, feature in found.items()
        if feature.bytes_list.value
    }
