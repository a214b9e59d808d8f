"""Features of an image's TFRecord, and its file and place in the split."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

from components.convert.splits import Placement
from serving.images.image import Image
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


def features(image: Image, placement: Placement) -> Features:
    """Returns what an example says of its image, all but the bytes themselves."""
    return {
        LABEL: LABELS.index(image.label),
        LABEL_NAME: image.label,
        FILENAME: image.filename,
        PATIENT_ID: placement.patient,
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


def fingerprint(written: Iterable[tuple[str, Features]]) -> str:
    """Makes one SHA-256 over what all records hold.

    Args:
        written: split and features of each record, in any order.

    Returns:
        64 hexadecimal digits: the same wherever and whenever the same images are converted.
    """
    lines = sorted(repr((split, sorted(described.items()))) for split, described in written)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
