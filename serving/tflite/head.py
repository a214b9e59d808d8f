"""The layers behind the last weights of a network, which are not quantized."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import Builder

_OPERATION: Final = schema.BuiltinOperator
_WEIGHTED: Final = frozenset(
    {_OPERATION.CONV_2D, _OPERATION.DEPTHWISE_CONV_2D, _OPERATION.FULLY_CONNECTED}
)
_IDENTIFIER: Final = b"TFL3"


def kept_in_float(content: bytes) -> tuple[bytes, list[str]]:
    """Prepares a network for quantization.

    The sigmoids on which the calibration follows are written out, as 1 / (1 + exp(-x)): the
    converter gives each LOGISTIC the steps 0, 1/256 … 255/256, even where it is to leave it alone,
    and the calibration takes their logarithm. No prediction would be surer than 255/256, and 0 has
    no logarithm. At its end the converter makes a LOGISTIC of 32 bits of them again.

    Args:
        content: of a TFLite file in floating point.

    Returns:
        Its content with these sigmoids written out, and the names of what the converter is to leave
        alone: all that no weights follow on.
    """
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    for operator in list(_head(model, graph)):
        if _sigmoids(model, graph, operator) == [operator]:
            _write_out(model, graph, operator)
    names = [
        graph.tensors[tensor].name.decode()
        for operator in _head(model, graph)
        for tensor in operator.outputs
    ]
    builder = Builder(len(content))
    builder.Finish(model.Pack(builder), _IDENTIFIER)
    return bytes(builder.Output()), names


def _head(model: Any, graph: Any, last: Any = None) -> Iterator[Any]:
    """The operations that no weights follow on, the last first."""
    made_by = {tensor: each for each in graph.operators for tensor in each.outputs}
    waiting = [last or made_by[graph.outputs[0]]]
    found: list[Any] = []
    while waiting:
        operator = waiting.pop()
        if _code(model, operator) in _WEIGHTED or operator in found:
            continue
        found.append(operator)
        yield operator
        waiting += [made_by[tensor] for tensor in operator.inputs if tensor in made_by]


def _sigmoids(model: Any, graph: Any, last: Any) -> list[Any]:
    return [each for each in _head(model, graph, last) if _code(model, each) == _OPERATION.LOGISTIC]


def _code(model: Any, operator: Any) -> int:
    return int(model.operatorCodes[operator.opcodeIndex].builtinCode)


def _write_out(model: Any, graph: Any, sigmoid: Any) -> None:
    """Replaces a LOGISTIC."""
    (given,), (made,) = sigmoid.inputs, sigmoid.outputs
    one = _constant(model, graph, 1.0)
    negative, exponential, denominator = (_like(graph, made, f"_{step}") for step in range(3))
    steps = [
        _operator(model, _OPERATION.NEG, [given], negative),
        _operator(model, _OPERATION.EXP, [negative], exponential),
        _operator(model, _OPERATION.ADD, [exponential, one], denominator, schema.AddOptionsT()),
        _operator(model, _OPERATION.DIV, [one, denominator], made, schema.DivOptionsT()),
    ]
    place = graph.operators.index(sigmoid)
    graph.operators[place : place + 1] = steps


def _operator(model: Any, code: int, inputs: list[int], output: int, options: Any = None) -> Any:
    operator = schema.OperatorT()
    operator.opcodeIndex = _opcode(model, code)
    operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
    if options is not None:
        kind = type(options).__name__.removesuffix("T")
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        operator.builtinOptions = options
    return operator


def _opcode(model: Any, code: int) -> int:
    for index, each in enumerate(model.operatorCodes):
        if each.builtinCode == code:
            return index
    new = schema.OperatorCodeT()
    new.builtinCode, new.deprecatedBuiltinCode, new.version = code, min(code, 127), 1
    model.operatorCodes.append(new)
    return len(model.operatorCodes) - 1


def _like(graph: Any, tensor: int, suffix: str) -> int:
    former, new = graph.tensors[tensor], schema.TensorT()
    new.shape, new.shapeSignature = former.shape, former.shapeSignature
    new.hasRank, new.type, new.buffer = former.hasRank, former.type, 0
    new.name = former.name + suffix.encode()
    graph.tensors.append(new)
    return len(graph.tensors) - 1


def _constant(model: Any, graph: Any, value: float) -> int:
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(np.float32(value).tobytes(), np.uint8)
    model.buffers.append(buffer)
    new = schema.TensorT()
    new.shape, new.hasRank = np.array([], np.int32), True
    new.type, new.buffer, new.name = schema.TensorType.FLOAT32, len(model.buffers) - 1, b"one"
    graph.tensors.append(new)
    return len(graph.tensors) - 1
