"""Transform's ``preprocessing_fn``."""

from typing import Any

import tensorflow as tf

from transform_module import contract
from transform_module.images.image_ops import images_to_png
from transform_module.settings import TransformSettings


def preprocessing_fn(
    inputs: dict[str, tf.Tensor], custom_config: dict[str, Any]
) -> dict[str, tf.Tensor]:
    """Prepares a batch of Examples for the model.

    Args:
        inputs: raw features by name, each [N, 1].
        custom_config: TFX's; ``settings`` holds those of a `TransformSettings`.

    Returns:
        ``image_xf`` [N] string, PNGs that `image_ops.model_inputs` reads, empty where the image
        cannot be decoded; ``label_xf`` [N] int64; ``patient_xf`` [N] string, for folds.
    """
    # No analyzer: TensorFlow Transform would decode every image once more for it, whatever it
    # reads, because decoding is none of the operations that it may leave out.
    settings = TransformSettings(**custom_config["settings"])
    return {
        contract.IMAGE_XF: images_to_png(tf.reshape(inputs[contract.IMAGE], [-1]), settings),
        contract.LABEL_XF: tf.reshape(inputs[contract.LABEL], [-1]),
        contract.PATIENT_XF: tf.reshape(inputs[contract.PATIENT_ID], [-1]),
    }
