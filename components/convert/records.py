"""Features of an image's TFRecord, and its file and place in the split."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

from components.convert.outcomes import Outcome
from transform_module.contract import (
    FILENAME,
    FORMAT,
    HEIGHT,
    IMAGE,
    LABEL,
    LABEL_NAME,
    LABELS,
    PATIENT_ID,
    SHA256,
    SUBTYPE,
    WIDTH,
)

RECORDS_NAME: Final = "cxr"

Features = dict[str, int | str]
"""An example's features without the image: int64 as int, bytes as text."""


def features(image: Outcome) -> Features:
    """Returns what an example says of its image, all but the bytes themselves."""
    return {
        LABEL: LABELS.index(image.label),
        LABEL_NAME: image.label,
        FILENAME: image.file.filename,
        PATIENT_ID: str(image.patient),
        SUBTYPE: image.subtype,
        FORMAT: image.format,
        WIDTH: image.width,
        HEIGHT: image.height,
        SHA256: image.sha256,
    }


def serialize(described: Mapping[str, int | str], image: bytes) -> bytes:
    """Makes the serialized ``tf.train.Example``, the same bytes for the same arguments."""
    import tensorflow as tf

    example = tf.train.Example()
    for name, value in described.items():
        if isinstance(value, int):
            example.features.feature[name].int64_list.value.append(value)
        else:
            example.features.feature[name].bytes_list.value.append(value.encode())
    example.features.feature[IMAGE].bytes_list.value.append(image)
    return example.SerializeToString(deterministic=True)


def shard_path(split: str, shard: int, shards: int) -> str:
    """Names a TFRecord file, relative to the dataset's folder."""
    return f"{split}/{RECORDS_NAME}-{shard:05d}-of-{shards:05d}.tfrecord.gz"


def shard_key(filename: str) -> int:
    """Returns an image's place: its shard is the key modulo their number, its order the key's.

    It depends on the name alone: what is added moves nothing, and classes come mixed.
    """
    return int.from_bytes(hashlib.sha256(filename.encode()).digest()[:8], "big")


def line(split: str, described: Features) -> str:
    """Returns what `fingerprint` sums up of a record."""
    return repr((split, sorted(described.items())))


def fingerprint(lines: Iterable[str]) -> str:
    """Makes one SHA-256 over what all records hold.

    Args:
        lines: of all records, ascending; see `line`.

    Returns:
        64 hexadecimal digits: the same wherever and whenever the same images are converted.
    """
    digest = hashlib.sha256()
    for number, each in enumerate(lines):
        digest.update(f"\n{each}".encode() if number else each.encode())
    return digest.hexdigest()
