"""From the signature of a SavedModel to the bytes of a TFLite file."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from components.images.progress import Progress
from serving.model import Model
from serving.tflite import network
from serving.tflite.record import FLOAT16, INT8
from transform_module import features

_BUILTIN = schema.BuiltinOperator
_WEIGHTED = frozenset({_BUILTIN.CONV_2D, _BUILTIN.DEPTHWISE_CONV_2D, _BUILTIN.FULLY_CONNECTED})


def convert(
    variant: str, model: Model, grey_levels: np.ndarray | None, progress: Progress
) -> bytes:
    """Converts a model to one of the variants.

    Args:
        variant: one of VARIANTS.
        model: has the signature ``serve_pixels``.
        grey_levels: [N, 160, 160, 1] uint8, representative pictures; None where the variant is not
            INT8.
        progress: gets the representative pictures done and their number.

    Returns:
        The content of a TFLite file.
    """
    if variant == INT8:
        if grey_levels is None:
            raise ValueError(f"{INT8} needs representative pictures")
        return _int8(model, grey_levels, progress)
    converter = _converter(model.signature(features.SERVE_PIXELS), model.loaded)
    if variant == FLOAT16:
        converter.target_spec.supported_types = [tf.float16]
    return bytes(converter.convert())


def _int8(model: Model, grey_levels: np.ndarray, progress: Progress) -> bytes:
    prepared, module = network.of_grey_levels(model.signature(features.SERVE_PIXELS))

    def representative() -> Iterator[list[np.ndarray]]:
        for index, each in enumerate(grey_levels):
            yield [each[np.newaxis]]
            progress(index + 1, len(grey_levels))

    converter = _converter(prepared, module)
    converter.target_spec.supported_ops = [
        tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
        tf.lite.OpsSet.TFLITE_BUILTINS,
    ]
    converter.representative_dataset = representative
    # The one way to tell the converter what it shall leave alone.
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter,
        debug_dataset=representative,
        debug_options=tf.lite.experimental.QuantizationDebugOptions(
            denylisted_nodes=_head(_converter(prepared, module, optimizations=()))
        ),
    )
    return bytes(debugger.get_nondebug_quantized_model())


def _converter(
    function: Any, trackable: Any, optimizations: Sequence[Any] = (tf.lite.Optimize.DEFAULT,)
) -> Any:
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], trackable)
    converter.optimizations = list(optimizations)
    return converter


def _head(converter: Any) -> list[str]:
    """Names what follows on the last weights, as the converter calls it."""
    model = schema.ModelT.InitFromPackedBuf(converter.convert(), 0)
    graph = model.subgraphs[0]
    made_by = {tensor: each for each in graph.operators for tensor in each.outputs}

    def sources(operator: Any) -> list[Any]:
        return [made_by[tensor] for tensor in operator.inputs if tensor in made_by]

    def is_weighted(operator: Any) -> bool:
        return model.operatorCodes[operator.opcodeIndex].builtinCode in _WEIGHTED

    last = made_by[graph.outputs[0]]
    return [
        graph.tensors[tensor].name.decode()
        for operator in network.behind_the_weights(last, sources, is_weighted)
        for tensor in operator.outputs
    ]
