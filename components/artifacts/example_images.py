"""Images of the split ``test``, by their names."""

from collections.abc import Collection

import tensorflow as tf
from tfx import types
from tfx.types import artifact_utils
from tfx.utils import io_utils

from components.artifacts import example_counts
from transform_module import contract
from transform_module.errors import UserError


def contents(examples: types.Artifact, names: Collection[str]) -> dict[str, bytes]:
    """Reads images, no further than to the last of them.

    Args:
        examples: what ImportExampleGen made.
        names: of the images, as the examples have them.

    Returns:
        Each image as it is encoded.

    Raises:
        UserError: one is not there, or a file is damaged.
    """
    wanted = set(names)
    found: dict[str, bytes] = {}
    split = artifact_utils.get_split_uri([examples], contract.TEST)
    files = sorted(tf.io.gfile.glob(io_utils.all_files_pattern(split)))
    records = tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator()
    try:
        while len(found) < len(wanted) and (record := next(records, None)) is not None:
            values = tf.train.Example.FromString(record).features.feature
            name = values[contract.FILENAME].bytes_list.value[0].decode(errors="replace")
            if name in wanted:
                found[name] = bytes(values[contract.IMAGE].bytes_list.value[0])
    except (tf.errors.DataLossError, tf.errors.OutOfRangeError) as error:
        raise UserError(f"{split} is damaged. {example_counts.REMEDY}") from error
    if len(found) < len(wanted):
        raise UserError(
            f"{len(wanted) - len(found):,} of {len(wanted):,} images that were predicted are not "
            f"in {split}: the predictions are of other examples. {example_counts.REMEDY}"
        )
    return found
