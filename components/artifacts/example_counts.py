"""Number of records in a split of Examples; part or double of them is refused.

ImportExampleGen records the counts of the conversion on its artifact. Each component that reads
examples counts what it finds, on every orchestrator: a shard that is missing, cut or there twice
changes a model without a word.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Final

import tensorflow as tf
from tfx import types
from tfx.types import artifact_utils
from tfx.utils import io_utils

from transform_module.errors import UserError

RECORDS: Final = "records"
"""Custom property of ImportExampleGen's Examples: JSON of the records of each split."""

FINGERPRINT: Final = "dataset_fingerprint"
"""Custom property of ImportExampleGen's Examples: the fingerprint of the dataset."""

REMEDY: Final = "Run again: what is damaged is made anew."
"""What to do about examples that are damaged, or not those that were predicted."""


def mark(examples: types.Artifact, records: Mapping[str, int], fingerprint: str) -> None:
    """Records on Examples what they hold.

    Args:
        examples: the artifact.
        records: number of records of each split.
        fingerprint: of the dataset.
    """
    examples.set_string_custom_property(RECORDS, json.dumps(dict(records), sort_keys=True))
    examples.set_string_custom_property(FINGERPRINT, fingerprint)


def count(examples: types.Artifact, split: str) -> int:
    """Counts the records of a split; they are read and checked, and not parsed.

    Args:
        examples: GZIP TFRecord files.
        split: of them.

    Raises:
        UserError: a file is damaged.
    """
    pattern = io_utils.all_files_pattern(artifact_utils.get_split_uri([examples], split))
    return sum(map(_count, sorted(tf.io.gfile.glob(pattern))))


def recorded(examples: types.Artifact, split: str) -> int:
    """Returns the number of records of a split that ImportExampleGen recorded.

    Raises:
        UserError: it recorded none.
    """
    found = examples.get_string_custom_property(RECORDS)
    if not found:
        raise UserError(
            f"The examples in {examples.uri} do not record how many records they hold "
            f"(the property {RECORDS}). Let ImportExampleGen of this pipeline make them."
        )
    return int(json.loads(found)[split])


def require_all(
    examples: types.Artifact, splits: Iterable[str], source: types.Artifact | None = None
) -> None:
    """Stops a component whose examples are not those that the conversion wrote.

    Args:
        examples: what the component reads.
        splits: of them.
        source: what ImportExampleGen made; None where that is what the component reads. Transform
            makes one record of each, also where an image cannot be decoded.

    Raises:
        UserError: a file is damaged, or there are more or fewer records.
    """
    for split in splits:
        found, expected = count(examples, split), recorded(source or examples, split)
        if found != expected:
            raise UserError(
                f"The split {split} in {examples.uri} holds {found:,} records, the dataset has "
                f"{expected:,}. Nothing is computed from part or double of the data. {REMEDY}"
            )


def require_fingerprint(source: types.Artifact, fingerprint: str) -> str:
    """Stops a component that was given the fingerprint of other data.

    Args:
        source: what ImportExampleGen made.
        fingerprint: what the component was given; an empty text compares with nothing.

    Returns:
        The dataset's.

    Raises:
        UserError: the dataset has another fingerprint.
    """
    found = source.get_string_custom_property(FINGERPRINT)
    if fingerprint not in ("", found):
        raise UserError(
            f"dataset_fingerprint is {fingerprint!r}, the examples in {source.uri} are of the "
            f"dataset {found!r}. Give the fingerprint of its dataset.json."
        )
    return str(found)


def _count(file: str) -> int:
    # Without an operation of TensorFlow: before the first one workers have to find each other.
    records = tf.compat.v1.io.tf_record_iterator(file, tf.io.TFRecordOptions("GZIP"))
    try:
        return sum(1 for _ in records)
    except (tf.errors.DataLossError, tf.errors.OutOfRangeError) as error:
        # Its message has offsets alone, but another release's may have more.
        raise UserError(f"{file} is damaged. {REMEDY}") from error
