"""The images of the test split, as files to evaluate."""

from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf
from tfx import types
from tfx.types import artifact_utils
from tfx.utils import io_utils

from components.images.patients import UNKNOWN_SUBTYPE
from serving.evaluate.labelled import Labelled
from transform_module import features


def unpacked(examples: types.Artifact, folder: Path) -> Iterator[Labelled]:
    """Writes the images of the split ``test`` into files.

    Args:
        examples: as they are before Transform.
        folder: exists; gets a file for each image.

    Yields:
        Each image with the fields of its example.
    """
    pattern = io_utils.all_files_pattern(artifact_utils.get_split_uri([examples], features.TEST))
    files = sorted(tf.io.gfile.glob(pattern))
    records = tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator()
    for number, record in enumerate(records):
        example = tf.train.Example.FromString(record).features.feature
        file = folder / str(number)
        file.write_bytes(example[features.IMAGE].bytes_list.value[0])
        subtype = _text(example, features.SUBTYPE)
        yield Labelled(
            file=file,
            name=_text(example, features.FILENAME),
            label=features.LABELS[example[features.LABEL].int64_list.value[0]],
            subtype="" if subtype == UNKNOWN_SUBTYPE else subtype,
            patient=_text(example, features.PATIENT_ID),
            sha256=_text(example, features.SHA256),
        )


def _text(example: dict[str, tf.train.Feature], name: str) -> str:
    values = example[name].bytes_list.value
    return bytes(values[0]).decode(errors="replace") if values else ""
