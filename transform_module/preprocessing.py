"""What Transform runs: ``preprocessing_fn``."""

import tensorflow as tf

from transform_module import features
from transform_module.image_ops import images_to_png


def preprocessing_fn(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Prepares a batch of Examples for the model.

    Args:
        inputs: raw features by name, each [N, 1].

    Returns:
        ``image_xf`` [N] string, PNGs that `image_ops.model_inputs` reads, empty where the picture
        cannot be decoded; ``label_xf`` [N] int64; ``patient_xf`` [N] string, for folds.
    """
    # No analyzer: TensorFlow Transform would decode every picture once more for it, whatever it
    # reads, because decoding is none of the operations that it may leave out.
    return {
        features.IMAGE_XF: images_to_png(tf.reshape(inputs[features.IMAGE], [-1])),
        features.LABEL_XF: tf.reshape(inputs[features.LABEL], [-1]),
        features.PATIENT_XF: tf.reshape(inputs[features.PATIENT_ID], [-1]),
    }
