"""From the signature of a SavedModel to the bytes of a TFLite file."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.lite.python.convert import mlir_quantize

from serving.model import Model
from serving.progress import Progress
from serving.tflite import head
from serving.tflite.record import FLOAT16, GREY_LEVELS, INT8
from transform_module import contract


def convert(
    variant: str, model: Model, grey_levels: np.ndarray | None, progress: Progress
) -> bytes:
    """Converts a model to one of the variants.

    Args:
        variant: one of VARIANTS.
        model: has the signature ``serve_pixels``.
        grey_levels: [N, size, size, 1] uint8, representative images; None where the variant is not
            INT8.
        progress: gets the representative images done and their number.

    Returns:
        The content of a TFLite file.
    """
    if variant == INT8:
        if grey_levels is None:
            raise ValueError(f"{INT8} needs representative images")
        return _int8(model, grey_levels, progress)
    converter = _converter(model.signature(contract.SERVE_PIXELS), model.loaded)
    if variant == FLOAT16:
        converter.target_spec.supported_types = [tf.float16]
    return bytes(converter.convert())


def _int8(model: Model, grey_levels: np.ndarray, progress: Progress) -> bytes:
    """Weights have a scale for each channel; the head stays in 32 bits, see `head`."""

    def representative() -> Iterator[list[np.ndarray]]:
        for index, each in enumerate(grey_levels):
            yield [each[np.newaxis]]
            progress(index + 1, len(grey_levels))

    converter = _converter(*_of_grey_levels(model))
    converter.representative_dataset = representative
    # What is to be left alone can be given to the second of the converter's two steps only.
    converter._experimental_calibrate_only = True
    prepared, head_names = head.kept_in_float(converter.convert())
    return bytes(mlir_quantize(prepared, denylisted_nodes=head_names))


def _of_grey_levels(model: Model) -> tuple[Any, tf.Module]:
    """The network from what an image holds: [N, size, size, 1] uint8."""
    size = model.record["image_size"]
    shape = [None, size, size, 1]
    serve_pixels = model.signature(contract.SERVE_PIXELS)

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.uint8, name=GREY_LEVELS)])
    def network(grey_levels: tf.Tensor) -> dict[str, tf.Tensor]:
        return serve_pixels(**{contract.IMAGE_XF: tf.cast(grey_levels, tf.float32) / 255.0})

    module = tf.Module()
    module.loaded, module.network = model.loaded, network
    return network.get_concrete_function(), module


def _converter(function: Any, trackable: Any) -> Any:
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], trackable)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return converter
