"""Classify and Regress: answers to tf.Examples, as TensorFlow Serving gives them.

The rules and messages follow https://www.tensorflow.org/tfx/serving/api_rest ("Classify and Regress
API") and, where that is silent, `classifier.cc`, `regressor.cc` and `json_tensor.cc`.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf
from tensorflow_serving.apis import classification_pb2, input_pb2, regression_pb2

from serving.batching import Tensors
from serving.servable import Servable
from serving.status import invalid

_CLASSES, _SCORES, _OUTPUTS = "classes", "scores", "outputs"
_JSON_NAMES = {type(None): "Null", str: "String", dict: "Object", list: "Array"}


def from_input(proto: input_pb2.Input) -> list[bytes]:
    """Reads the Examples of a request, each with the context that it shares with the others.

    Raises:
        RequestError: there is none.
    """
    kind = proto.WhichOneof("kind")
    if kind == "example_list":
        examples = [each.SerializeToString() for each in proto.example_list.examples]
    elif kind == "example_list_with_context":
        shared = proto.example_list_with_context
        examples = [
            # Messages that follow each other are merged where they are read.
            shared.context.SerializeToString() + each.SerializeToString()
            for each in shared.examples
        ]
    else:
        examples = []
    if not examples:
        raise invalid("Input is empty.")
    return examples


def from_json(request: Mapping[str, Any]) -> list[bytes]:
    """Reads the Examples of a REST request.

    Raises:
        RequestError: a value is none that an Example holds.
    """
    if "examples" not in request:
        raise invalid("When method is classify, key 'examples' is expected and was not found")
    examples = request["examples"]
    if not isinstance(examples, list):
        raise invalid("Expecting 'examples' value to be an list/array")
    if not examples:
        raise invalid("'examples' value is an empty array")
    context = _example(request.get("context", {}))
    return [context + _example(each) for each in examples]


def check(version: Servable, name: str, method: str) -> str:
    """Checks that a signature answers a method.

    Args:
        version: the model.
        name: the signature's.
        method: ``classify`` or ``regress``.

    Returns:
        The name of its input.

    Raises:
        RequestError: it does not.
    """
    if name not in version.signatures:
        raise invalid(f"No signature was found with the name: {name}")
    signature = version.signatures[name]
    outputs = signature.outputs
    if method == "classify":
        if len(outputs) not in (1, 2):
            raise invalid(f"Expected one or two output Tensors, found {len(outputs)}")
        if not outputs.keys() <= {_CLASSES, _SCORES}:
            raise invalid(
                f"Expected outputs named {_CLASSES} and {_SCORES}, found {_named(outputs)}"
            )
    elif list(outputs) != [_OUTPUTS]:
        raise invalid(f"Expected one output Tensor, named {_OUTPUTS}, found {_named(outputs)}")
    for output, spec in outputs.items():
        dtype = tf.string if output == _CLASSES else tf.float32
        if spec.dtype != dtype:
            raise invalid(f"Expected {output} Tensor of {dtype.name}. Got: {spec.dtype.name}")
    if len(signature.inputs) != 1 or next(iter(signature.inputs.values())).dtype != tf.string:
        raise invalid(f"Expected one input Tensor of Examples, found {_named(signature.inputs)}")
    return next(iter(signature.inputs))


def classifications(outputs: Tensors) -> classification_pb2.ClassificationResult:
    """Turns a signature's outputs into the answer to Classify.

    Raises:
        RequestError: they have another shape.
    """
    scores, labels = outputs.get(_SCORES), outputs.get(_CLASSES)
    shapes = {array.shape for array in outputs.values()}
    if len(shapes) > 1 or any(len(shape) != 2 for shape in shapes):
        raise invalid(f"Expected Tensor shape: [batch_size num_classes] but got {_shown(shapes)}")
    ((rows, columns),) = shapes
    result = classification_pb2.ClassificationResult()
    for row in range(rows):
        classes = result.classifications.add().classes
        for column in range(columns):
            classes.add(
                label="" if labels is None else labels[row, column].decode(errors="replace"),
                score=0.0 if scores is None else scores[row, column],
            )
    return result


def regressions(outputs: Tensors) -> regression_pb2.RegressionResult:
    """Turns a signature's outputs into the answer to Regress.

    Raises:
        RequestError: they have another shape.
    """
    values = outputs[_OUTPUTS]
    if values.ndim != 1 and values.shape[1:] != (1,):
        raise invalid(
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got "
            f"{_shown([values.shape])}"
        )
    result = regression_pb2.RegressionResult()
    for value in values.ravel():
        result.regressions.add(value=value)
    return result


def _named(tensors: Mapping[str, Any]) -> str:
    return ", ".join(sorted(tensors))


def _shown(shapes: Iterable[tuple[int, ...]]) -> str:
    return " and ".join(str(list(shape)) for shape in sorted(shapes))


def _example(value: Any) -> bytes:
    if not isinstance(value, dict):
        raise invalid(f"Example must be JSON object but got JSON {_json_type(value)}")
    example = tf.train.Example()
    for name, content in value.items():
        values = content if isinstance(content, list) else [content]
        feature = example.features.feature[_utf8(name).decode()]
        kind = None
        for each in values:
            found, converted = _feature_value(name, each)
            kind = kind or found
            if found != kind:
                raise invalid(f"Unexpected element type in feature: {name} expecting type: {kind}")
            getattr(feature, f"{kind}_list").value.append(converted)
    return bytes(example.SerializeToString())


def _feature_value(name: str, value: Any) -> tuple[str, Any]:
    if isinstance(value, str):
        return "bytes", _utf8(value)
    if isinstance(value, dict) and list(value) == ["b64"] and isinstance(value["b64"], str):
        try:
            return "bytes", base64.b64decode(value["b64"], validate=True)
        except (binascii.Error, ValueError) as error:
            raise invalid(f"Feature: {name} Unable to base64 decode") from error
    if isinstance(value, int):  # a bool, too
        if not -(2**63) <= value < 2**63:
            raise invalid(f"Feature: {name} has uint64 element. Only int64 is supported.")
        return "int64", int(value)
    if isinstance(value, float):
        return "float", value
    raise invalid(f"Feature: {name} has element with unexpected JSON type: {_json_type(value)}")


def _utf8(text: str) -> bytes:
    return text.encode(errors="replace")


def _json_type(value: Any) -> str:
    if isinstance(value, bool):
        return str(value)
    return _JSON_NAMES.get(type(value), "Number")
