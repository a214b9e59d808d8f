"""Tensors in TensorFlow Serving's JSON: requests read, responses written.

The rules and the messages follow https://www.tensorflow.org/tfx/serving/api_rest ("Predict API",
"JSON mapping") and, where that is silent, `tensorflow_serving/util/json_tensor.cc`.
"""

import base64
import binascii
import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

import numpy as np
import orjson
import tensorflow as tf

from serving.server.admission.batching import Tensors, check_rows
from serving.server.admission.batching_settings import BatchingSettings
from serving.server.status import RequestError, invalid

_BYTES_SUFFIX: Final = "_bytes"
"""Strings of an output whose name ends so are bytes, and are returned in base64."""

_TYPE_NAMES: Final = {tf.float32: "float", tf.float64: "double"}
# Above them neighbouring whole numbers of a type can no longer be distinguished.
_WHOLE_LIMITS: Final = {tf.float32: 2**24, tf.float64: 2**53}
Buffer = bytes | bytearray

_SPECIAL: Final = re.compile(rb"\b(NaN|Inf(inity)?)\b")
_MAXIMUM_RANK: Final = 64  # NumPy's
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

# Special numbers are read by a parser that is slow, and does not let others work meanwhile.
_LARGEST_SPECIAL: Final = 1024 * 1024

# CPython 3.11's `sys.getsizeof` with the collector's header, of the least of each, and a pointer to
# it: what follows a comma is at the most a short text.
_LIST_BYTES: Final = 80
_OBJECT_BYTES: Final = 240
_VALUE_BYTES: Final = 64


def values_in(body: Buffer) -> tuple[int, int]:
    """Counts the values of a JSON text before it is parsed, in a millisecond a megabyte.

    Args:
        body: the text.

    Returns:
        At least as many as there are values, and about the bytes that they take once they are
        parsed, texts not counted.
    """
    lists, objects, others = (body.count(mark) for mark in (b"[", b"{", b","))
    return lists + objects + others, (
        lists * _LIST_BYTES + objects * _OBJECT_BYTES + others * _VALUE_BYTES
    )


def parse(body: Buffer) -> dict[str, Any]:
    """Reads a request's body.

    Raises:
        RequestError: it is not a JSON object.
    """
    if body[: len(_BYTE_ORDER_MARK)] == _BYTE_ORDER_MARK:
        body = body[len(_BYTE_ORDER_MARK) :]
    if not body.strip():
        raise invalid("JSON Parse error: The document is empty")
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # The names of special numbers are not JSON, but TensorFlow Serving takes them.
        if len(body) > _LARGEST_SPECIAL or not _SPECIAL.search(body):
            raise _no_json(error) from error
        parsed = _parse_special(body)
    if not isinstance(parsed, dict):
        raise invalid("JSON Value: Is not object")
    return parsed


def _parse_special(body: Buffer) -> Any:
    try:
        return json.loads(body, parse_float=_finite)
    except RecursionError as error:
        raise invalid("JSON Parse error: the lists are nested too deeply") from error
    except json.JSONDecodeError as error:
        raise _no_json(error) from error
    except ValueError as error:
        raise invalid("JSON Parse error: it is not UTF-8, or a number is too large") from error


def _no_json(error: json.JSONDecodeError) -> RequestError:
    # The parsers' messages may quote the text.
    return invalid(f"JSON Parse error: line {error.lineno}, column {error.colno}")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("too large a number")
    return value


def signature_name(request: Mapping[str, Any], default: str) -> str:
    """Returns which signature a request is for.

    Raises:
        RequestError: its name is not text.
    """
    name = request.get("signature_name", default)
    if not isinstance(name, str):
        raise invalid("'signature_name' key must be a string value.")
    return name or default


def inputs_of(
    request: Mapping[str, Any], specs: Mapping[str, tf.TensorSpec], batching: BatchingSettings
) -> Tensors:
    """Reads the input tensors, which are in rows or in columns.

    Args:
        request: with ``instances`` or ``inputs``.
        specs: dtypes by name; see `serving.server.servable.Signature`.
        batching: how many rows a request may have, which is checked first.

    Returns:
        An array for each input; strings are object arrays of bytes.

    Raises:
        RequestError: a value does not fit; the message says which.
    """
    in_rows, in_columns = "instances" in request, "inputs" in request
    if in_rows and in_columns:
        raise invalid(
            "Not formatted correctly, expecting only one of 'inputs' or 'instances' keys to exist"
        )
    if in_rows:
        return _rows(request["instances"], specs, batching)
    if in_columns:
        return _columns(request["inputs"], specs, batching)
    raise invalid("Missing 'inputs' or 'instances' key")


def response(request: Mapping[str, Any], outputs: Tensors) -> bytes:
    """Writes the response in the format of the request.

    Raises:
        RequestError: it is to be in rows, and outputs have not as many.
    """
    if "inputs" in request:
        columns = {name: _plain(name, array) for name, array in outputs.items()}
        return dumps({"outputs": next(iter(columns.values())) if len(columns) == 1 else columns})
    for name, array in outputs.items():
        if not array.ndim:
            raise invalid(f"The output {name} has no rows; send 'inputs' instead.")
    sizes = {name: len(array) for name, array in outputs.items()}
    first = next(iter(sizes.values()))
    for name, size in sizes.items():
        if size != first:
            raise invalid(
                f"The output {name} has {size} rows and another one {first}; send 'inputs' instead."
            )
    plain = {name: _plain(name, array) for name, array in outputs.items()}
    if len(plain) == 1:
        return dumps({"predictions": next(iter(plain.values()))})
    rows = zip(*plain.values(), strict=True)
    return dumps({"predictions": [dict(zip(plain, row, strict=True)) for row in rows]})


def dumps(value: Any) -> bytes:
    """Writes JSON, with the names of special numbers where there are any.

    Args:
        value: of plain values, and arrays whose numbers are finite.
    """
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY, default=_special_number)


class _Special:
    def __init__(self, value: float) -> None:
        self.value = value


def _special_number(value: Any) -> Any:
    if isinstance(value, _Special):
        name = "NaN" if value.value != value.value else "Infinity"
        return orjson.Fragment(f"-{name}" if value.value < 0 else name)
    raise TypeError


def _plain(name: str, array: np.ndarray) -> Any:
    """Turns an output into what `dumps` writes."""
    if array.dtype == object:
        write = _encoded if name.endswith(_BYTES_SUFFIX) else _text
        return _each(array.tolist(), write)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return _each(array.tolist(), lambda x: x if np.isfinite(x) else _Special(x))
    if array.dtype == np.float32:
        # Written as the shortest decimals of their own width, which a list of floats would not be.
        return (
            np.ascontiguousarray(array) if array.ndim > 1 else [*array] if array.ndim else array[()]
        )
    return array.tolist()


def _each(value: Any, function: Any) -> Any:
    if isinstance(value, list):
        return [_each(each, function) for each in value]
    return function(value)


def _encoded(value: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(value).decode()}


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


def _rows(
    instances: Any, specs: Mapping[str, tf.TensorSpec], batching: BatchingSettings
) -> Tensors:
    if not isinstance(instances, list):
        raise invalid("'instances' must be a list")
    if not instances:
        raise invalid("No values in 'instances' array")
    check_rows(len(instances), batching)
    are_named = _is_named(instances[0])
    known = f"the inputs of the signature are {', '.join(sorted(specs))}"
    if not are_named and len(specs) != 1:
        raise invalid(f"instances is a list of values, but must be one of objects: {known}")
    values: dict[str, list[Any]] = {name: [] for name in specs}
    for index, instance in enumerate(instances):
        if _is_named(instance) != are_named:
            expected, found = ("object", "list") if are_named else ("value/list", "object")
            raise invalid(f"Expecting {expected} but got {found} at item {index} of input list")
        if not are_named:
            next(iter(values.values())).append(instance)
        elif instance.keys() != values.keys():
            raise invalid(f"instances[{index}]: its keys must be those of all inputs: {known}")
        else:
            for name, value in instance.items():
                values[name].append(value)
    return {
        name: _stacked(name if are_named else None, values[name], spec.dtype)
        for name, spec in specs.items()
    }


def _stacked(name: str | None, values: list[Any], dtype: tf.DType) -> np.ndarray:
    """Joins the values of one input, a row each."""
    flat: list[Any] = []
    shape: tuple[int, ...] | None = None
    for index, value in enumerate(values):
        try:
            found = _shape(value)
            if shape is None:
                shape = found
            if found != shape:
                raise invalid(f"Expecting shape {_listed(shape)} but got: {_listed(found)}")
            flat.extend(_flat(value, shape, dtype))
        except RequestError as error:
            key = f", {name}" if name else ""
            raise invalid(f"instances[{index}]{key}: {error.message}") from error
    return _array(flat, dtype, (len(values), *(shape or ())))


def _columns(
    inputs: Any, specs: Mapping[str, tf.TensorSpec], batching: BatchingSettings
) -> Tensors:
    if not _is_named(inputs):
        if len(specs) != 1:
            raise invalid(
                "inputs is a value or a list, but must be an object: the inputs of the signature "
                f"are {', '.join(sorted(specs))}"
            )
        inputs = {next(iter(specs)): inputs}
    arrays = {}
    for name, spec in specs.items():
        if name not in inputs:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
        shape = _shape(inputs[name])
        check_rows(shape[0] if shape else 0, batching)
        arrays[name] = (
            _no_rows(spec)
            if shape == (0,) and spec.shape.rank
            else _array(list(_flat(inputs[name], shape, spec.dtype)), spec.dtype, shape)
        )
    return arrays


def _shape(value: Any) -> tuple[int, ...]:
    """Returns the shape of nested lists, as their first elements have it."""
    shape: list[int] = []
    while isinstance(value, list):
        shape.append(len(value))
        if not value:
            break
        value = value[0]
        # Deeper lists than these are not gone through: each level is a call.
        if len(shape) > _MAXIMUM_RANK:
            raise invalid(f"a tensor of more than {_MAXIMUM_RANK} dimensions")
    return tuple(shape)


def _flat(value: Any, shape: tuple[int, ...], dtype: tf.DType, level: int = 0) -> Iterator[Any]:
    """Yields the values of nested lists; raises RequestError where they are ragged."""
    if isinstance(value, list):
        if level >= len(shape):
            raise invalid(f"a list at level {level}, where values are expected")
        if len(value) != shape[level]:
            raise invalid(
                f"a list of {len(value)} values at level {level}, where the first has "
                f"{shape[level]}"
            )
        for each in value:
            yield from _flat(each, shape, dtype, level + 1)
        return
    if level != len(shape):
        raise invalid(f"a value at level {level}, where a list is expected")
    yield _scalar(value, dtype)


def _scalar(value: Any, dtype: tf.DType) -> Any:
    """Converts one value.

    Raises:
        RequestError: it is of another type, or does not fit.
    """
    if dtype == tf.string:
        if isinstance(value, str):
            return _utf8(value)
        if isinstance(value, dict):
            return _decoded(value)
    elif dtype == tf.bool:
        if isinstance(value, bool):
            return value
    elif isinstance(value, bool):
        pass
    elif dtype.is_integer:
        if isinstance(value, int) and value in _whole_numbers(dtype):
            return value
    elif dtype.is_floating:
        if isinstance(value, int) and abs(value) < _WHOLE_LIMITS.get(dtype, 2**11):
            return value
        if isinstance(value, float) and (
            not math.isfinite(value) or abs(value) < _infinite_from(dtype)
        ):
            return value
        if isinstance(value, int | float):
            raise invalid(
                f"a number that cannot be converted to {_type_name(dtype)} without loss of "
                "precision"
            )
    raise invalid(f"Type: {_json_type(value)} is not of expected type: {_type_name(dtype)}")


@cache
def _whole_numbers(dtype: tf.DType) -> range:
    return range(dtype.min, dtype.max + 1)


@cache
def _infinite_from(dtype: tf.DType) -> float:
    """The least number that is infinite once it is rounded to a type."""
    largest = float(dtype.max)
    return largest + (largest - float(np.nextafter(dtype.max, 0))) / 2


def _utf8(value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise invalid("a text holds half of a character") from error


def _decoded(value: dict[str, Any]) -> bytes:
    if not _is_encoded(value):
        raise invalid('an object that is not {"b64": …}')
    text = value["b64"]
    try:
        return binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except ValueError as error:
        raise invalid("Unable to base64 decode") from error


def _is_encoded(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not _is_encoded(value)


def _array(values: list[Any], dtype: tf.DType, shape: tuple[int, ...]) -> np.ndarray:
    if len(shape) > _MAXIMUM_RANK:
        raise invalid(f"a tensor of {len(shape)} dimensions; {_MAXIMUM_RANK} are the most")
    if dtype == tf.string:
        array = np.empty(len(values), object)
        array[:] = values
    else:
        array = np.array(values, dtype.as_numpy_dtype)
    return array.reshape(shape)


def _no_rows(spec: tf.TensorSpec) -> np.ndarray:
    """Returns the tensor of a list without rows, which does not say what shape these would have."""
    return np.empty((0, *(size or 0 for size in spec.shape[1:])), spec.dtype.as_numpy_dtype)


def _type_name(dtype: tf.DType) -> str:
    return str(_TYPE_NAMES.get(dtype, dtype.name))


def _json_type(value: Any) -> str:
    """Names a value's type as RapidJSON does."""
    if value is None or isinstance(value, bool):
        return {None: "Null", True: "True", False: "False"}[value]
    names: dict[type, str] = {str: "String", dict: "Object", list: "Array"}
    return names.get(type(value), "Number")


def _listed(shape: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, shape))}]"
