"""The network of a pushed model as a graph that can be computed in 8 bits."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import tensorflow as tf
from tensorflow.python.framework import convert_to_constants

from serving.tflite.record import GREY_LEVELS
from transform_module import features

_WEIGHTED: Final = frozenset({"MatMul", "Conv2D", "DepthwiseConv2dNative"})
_SIGMOID: Final = "Sigmoid"


def of_grey_levels(serve_pixels: Any) -> tuple[Any, tf.Module]:
    """Prepares the network for whole numbers.

    Two things differ from the signature. It takes grey levels as a picture holds them. And the
    sigmoid on which the calibration follows is written out: TFLite gives each LOGISTIC of 8 bits
    the steps 0, 1/256 … 255/256, of which the calibration takes the logarithm, so that no answer
    would be surer than 255/256, and 0 has none.

    Args:
        serve_pixels: the signature, a concrete function.

    Returns:
        A concrete function from ``grey_levels`` to ``probability`` [N] float32, with the weights
        as constants, and the module that it is of.
    """
    frozen = convert_to_constants.convert_variables_to_constants_v2(serve_pixels)
    sigmoids = _first_of_head(frozen.outputs[0].op)
    body = frozen.prune(frozen.inputs, [sigmoid.inputs[0] for sigmoid in sigmoids])
    head = frozen.prune([sigmoid.outputs[0] for sigmoid in sigmoids], frozen.outputs)
    shape = [None, features.IMAGE_SIZE, features.IMAGE_SIZE, 1]

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.uint8, name=GREY_LEVELS)])
    def network(grey_levels: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = body(tf.cast(grey_levels, tf.float32) / 255.0)
        # Of 1 / (1 + exp(-x)) the converter makes a LOGISTIC again.
        probabilities = [tf.exp(-tf.math.log(1.0 + tf.exp(-logit))) for logit in logits]
        return {features.PROBABILITY: head(*probabilities)[0]}

    module = tf.Module()
    module.network = network
    return network.get_concrete_function(), module


def behind_the_weights(
    output: Any, sources: Callable[[Any], Sequence[Any]], is_weighted: Callable[[Any], bool]
) -> list[Any]:
    """Finds the operations that no weights follow on, in any graph.

    Args:
        output: the last operation.
        sources: gives the operations whose results one takes.
        is_weighted: tells whether an operation has weights.

    Returns:
        Each such operation once, the last first.
    """
    found: list[Any] = []
    waiting = [output]
    while waiting:
        operation = waiting.pop()
        if not is_weighted(operation) and operation not in found:
            found.append(operation)
            waiting += sources(operation)
    return found


def _first_of_head(output: tf.Operation) -> list[tf.Operation]:
    """The sigmoids behind the last weights that follow on no other one there."""

    def sources(operation: tf.Operation) -> list[tf.Operation]:
        return [each.op for each in operation.inputs]

    def head(operation: tf.Operation) -> list[tf.Operation]:
        return behind_the_weights(operation, sources, lambda each: each.type in _WEIGHTED)

    def sigmoids(operation: tf.Operation) -> list[tf.Operation]:
        return [each for each in head(operation) if each.type == _SIGMOID]

    return [each for each in sigmoids(output) if sigmoids(each) == [each]]
