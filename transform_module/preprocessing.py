"""What Transform runs: ``preprocessing_fn``."""

import tensorflow as tf
import tensorflow_transform as tft

from transform_module import features
from transform_module.image_ops import images_to_png


def preprocessing_fn(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Prepares a batch of Examples for the model.

    Args:
        inputs: raw features by name, each [N, 1].

    Returns:
        ``image_xf`` [N] string, PNGs that `image_ops.model_inputs` reads, empty where the picture
        cannot be decoded; ``label_xf`` [N] int64.
    """
    # The counts by label are read back by `class_counts`; no output depends on them.
    tft.vocabulary(
        tf.reshape(inputs[features.LABEL_NAME], [-1]),
        store_frequency=True,
        vocab_filename=features.LABEL_NAME,
    )
    return {
        features.IMAGE_XF: images_to_png(tf.reshape(inputs[features.IMAGE], [-1])),
        features.LABEL_XF: tf.reshape(inputs[features.LABEL], [-1]),
    }


def class_counts(transform_output: tft.TFTransformOutput) -> tuple[int, ...]:
    """Reads how many pictures of each label the analyzed split holds, in the order of LABELS."""
    counts = dict.fromkeys(features.LABELS, 0)
    vocabulary = transform_output.vocabulary_file_by_name(features.LABEL_NAME)
    for line in tf.io.gfile.GFile(vocabulary).read().splitlines():
        count, name = line.split(" ", 1)
        counts[name] = int(count)
    return tuple(counts[name] for name in features.LABELS)
