"""Serialized protocol messages, looked through before they are parsed.

A parser makes objects of many times the message's size of one that was written to that end, and
TensorFlow's fails the whole batch over one Example. Here nothing is copied, and the number of steps
is bounded.
"""

from collections.abc import Iterator
from typing import Final

from transform_module.contract import IMAGE

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_STEPS: Final = 100_000
"""Fields that are looked at in a message; a request has a few for each row."""
_STEPS_PER_EXAMPLE: Final = 300
"""Beside these, of each of several Examples; one of twelve features has 40."""
_SMALL: Final = 4096
"""Bytes of a tensor's shape, of which no field is looked at."""

# Fields of `predict.proto` and `tensor.proto`.
_INPUTS: Final = 2
_VALUE: Final = 2
_SHAPE: Final = 2
_PLAIN: Final = frozenset({1, 3, 4, 5, 6, 8})
"""dtype, version, and the values that take no more memory than their bytes."""
_HANDLES: Final = frozenset({14, 15})
_WIDEST: Final = 8
"""Bytes of a number that may be one byte in the message."""

_IMAGE: Final = IMAGE.encode()


class MalformedError(ValueError):
    """A message that cannot be read, or that no client of a model sends."""


class Steps:
    """Counts the fields that are looked at."""

    def __init__(self, most: int = _STEPS) -> None:
        self._left = most

    def fields(self, content: memoryview) -> Iterator[tuple[int, memoryview | None]]:
        """Yields each field's number, and its bytes where it has a length."""
        position = 0
        while position < len(content):
            self._left -= 1
            if self._left < 0:
                raise MalformedError("has too many fields")
            tag, position = _varint(content, position)
            kind = tag & 7
            value = None
            if kind == _VARINT:
                _, position = _varint(content, position)
            elif kind == _BYTES:
                length, position = _varint(content, position)
                value = content[position : position + length]
                position += length
            elif kind in (_FIXED32, _FIXED64):
                position += 4 if kind == _FIXED32 else 8
            else:
                raise MalformedError("cannot be read")
            if position > len(content) or not tag >> 3:
                raise MalformedError("cannot be read")
            yield tag >> 3, value


def _varint(content: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if position == len(content) or shift > 63:
            raise MalformedError("cannot be read")
        byte = content[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position


def steps_for(examples: int) -> Steps:
    """Returns the count of all Examples of a request together."""
    return Steps(_STEPS + _STEPS_PER_EXAMPLE * examples)


def example_images(example: bytes, steps: Steps | None = None) -> list[memoryview]:
    """Finds the images of a serialized `tf.train.Example`.

    Args:
        example: of any bytes.
        steps: counts its fields with those of others; by default, they have a count of their own.

    Returns:
        The value of the feature ``image``: one, or none where the Example has no such feature. A
        feature that is repeated has several values, of which TensorFlow takes the last.

    Raises:
        MalformedError: the bytes are not an Example, or its feature ``image`` is not one string.
    """
    found = []
    steps = steps or Steps()
    for number, features in steps.fields(memoryview(example)):
        if number != 1:
            continue
        for part, entry in steps.fields(_message(features)):
            # TensorFlow's parser takes a key and a value, in this order, and nothing else.
            fields = list(steps.fields(_message(entry)))
            if part != 1 or [each for each, _ in fields] != [1, 2]:
                raise MalformedError("cannot be read")
            key, value = (_message(content) for _, content in fields)
            if key == _IMAGE:
                found.extend(_image(steps, value))
    return found


def _image(steps: Steps, feature: memoryview) -> list[memoryview]:
    kinds = list(steps.fields(feature))
    if not kinds:
        return []
    if [kind for kind, _ in kinds] == [1]:
        values = list(steps.fields(_message(kinds[0][1])))
        if [field for field, _ in values] == [1]:
            return [_message(values[0][1])]
    raise MalformedError(f"has a feature {IMAGE} that is not one string of bytes")


def predict_request_memory(message: bytes) -> int:
    """Returns the bytes that a `PredictRequest` takes once it is parsed, about.

    Raises:
        MalformedError: it is not a message, or was written to take much.
    """
    steps = Steps()
    memory = len(message)
    for number, entry in steps.fields(memoryview(message)):
        if number != _INPUTS:
            continue
        for part, tensor in steps.fields(_message(entry)):
            if part != _VALUE:
                continue
            for field, values in steps.fields(_message(tensor)):
                if field in _PLAIN or values is None:
                    continue
                if field in _HANDLES or (field == _SHAPE and len(values) > _SMALL):
                    raise MalformedError("holds a tensor that no signature takes")
                memory += _WIDEST * len(values)
    return memory


def _message(content: memoryview | None) -> memoryview:
    if content is None:
        raise MalformedError("cannot be read")
    return content
