import math
import time
import tracemalloc

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf.message import DecodeError
from grpc import StatusCode
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tensorflow.core.framework import tensor_pb2, types_pb2

from serving.server.protocols.proto_tensors import MAXIMUM_BYTES, to_array, to_proto
from serving.server.status import RequestError

FIELDS = {
    tf.float32: "float_val",
    tf.float64: "double_val",
    tf.int8: "int_val",
    tf.int16: "int_val",
    tf.int32: "int_val",
    tf.uint8: "int_val",
    tf.uint16: "int_val",
    tf.int64: "int64_val",
    tf.uint32: "uint32_val",
    tf.uint64: "uint64_val",
    tf.bool: "bool_val",
    tf.string: "string_val",
}
OTHERS = (tf.float16, tf.bfloat16, tf.complex64, tf.complex128)
PLAIN = tuple(dtype for dtype in FIELDS if dtype != tf.string)


def proto_of(dtype, shape, **fields):
    proto = tensor_pb2.TensorProto(dtype=dtype.as_datatype_enum, **fields)
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


def refusal(proto):
    with pytest.raises(RequestError) as refused:
        to_array("x", proto)
    assert refused.value.code is StatusCode.INVALID_ARGUMENT
    assert refused.value.message.startswith("tensor parsing error: x: ")
    return refused.value.message


def strings(values):
    array = np.empty(len(values), object)
    array[:] = values
    return array


SHAPES = st.lists(st.integers(0, 4), max_size=4).map(tuple)


@st.composite
def tensors(draw, dtypes=(*FIELDS, *OTHERS)):
    dtype, shape = draw(st.sampled_from(dtypes)), draw(SHAPES)
    if dtype == tf.string:
        size = math.prod(shape)
        values = draw(st.lists(st.binary(max_size=200), min_size=size, max_size=size))
        return dtype, strings(values).reshape(shape)
    if dtype == tf.bfloat16:
        values = draw(arrays.arrays(np.float32, shape, elements=st.integers(-100, 100)))
        return dtype, values.astype(dtype.as_numpy_dtype)
    return dtype, draw(arrays.arrays(dtype.as_numpy_dtype, shape))


def check_same(found, array):
    assert found.dtype == array.dtype
    assert found.shape == array.shape
    np.testing.assert_array_equal(found, array)


class TestRoundTrip:
    @settings(max_examples=300)
    @given(tensors())
    def test_what_is_written_is_read_back(self, tensor):
        dtype, array = tensor
        sent = to_proto(array, dtype).SerializeToString()
        check_same(to_array("x", tensor_pb2.TensorProto.FromString(sent)), array)

    @settings(max_examples=200)
    @given(tensors())
    def test_tensorflow_reads_what_is_written(self, tensor):
        dtype, array = tensor
        check_same(np.asarray(tf.make_ndarray(to_proto(array, dtype))), array)

    @settings(max_examples=200)
    @given(tensors())
    def test_what_tensorflow_writes_is_read(self, tensor):
        dtype, array = tensor
        check_same(to_array("x", tf.make_tensor_proto(array, dtype, array.shape)), array)

    @settings(max_examples=200)
    @given(st.lists(st.binary(max_size=300)))
    def test_strings_may_are_as_content(self, values):
        content = b"".join(map(varint, map(len, values))) + b"".join(values)
        proto = proto_of(tf.string, [len(values)], tensor_content=content)
        assert to_array("x", proto).tolist() == values

    @pytest.mark.parametrize("dtype", FIELDS)
    def test_values_are_in_the_field_of_their_type(self, dtype):
        array = (
            strings([b"a", b"b"]) if dtype == tf.string else np.array([0, 1], dtype.as_numpy_dtype)
        )
        proto = to_proto(array, dtype)
        assert {each.name for each, _ in proto.ListFields()} == {
            "dtype",
            "tensor_shape",
            FIELDS[dtype],
        }
        assert list(getattr(proto, FIELDS[dtype])) == array.tolist()


def varint(value):
    content = bytearray()
    while value > 0x7F:
        content.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*content, value])


class TestShapes:
    def test_fewer_values_are_filled_up_with_the_last(self):
        assert to_array("x", proto_of(tf.float32, [4], float_val=[1, 2])).tolist() == [1, 2, 2, 2]
        proto = proto_of(tf.string, [2, 2], string_val=[b"a", b"b"])
        assert to_array("x", proto).tolist() == [[b"a", b"b"], [b"b", b"b"]]

    def test_without_values_they_are_zero(self):
        assert to_array("x", proto_of(tf.int32, [3])).tolist() == [0, 0, 0]
        found = to_array("x", proto_of(tf.string, [2])).tolist()
        assert [*map(tf.compat.as_bytes, found)] == [b"", b""]

    @pytest.mark.parametrize(
        "proto",
        [
            proto_of(tf.float32, [2], float_val=[1, 2, 3]),
            proto_of(tf.string, [1], string_val=[b"a", b"b"]),
            proto_of(tf.float32, [-1], float_val=[1]),
            proto_of(tf.float32, [-1, -1], float_val=[1]),
            proto_of(tf.float32, [2], tensor_content=b"1234567"),
            proto_of(tf.float32, [2], tensor_content=b"1" * 12),
            proto_of(tf.uint8, [1], int_val=[256]),
            proto_of(tf.int8, [1], int_val=[-129]),
            proto_of(tf.uint16, [1], int_val=[-1]),
            tensor_pb2.TensorProto(),
            tensor_pb2.TensorProto(dtype=999),
            tensor_pb2.TensorProto(dtype=-1),
            tensor_pb2.TensorProto(dtype=types_pb2.DT_RESOURCE),
            tensor_pb2.TensorProto(dtype=types_pb2.DT_VARIANT),
        ],
        ids=str,
    )
    def test_what_contradicts_itself_is_refused(self, proto):
        refusal(proto)

    @pytest.mark.parametrize(
        "content",
        [
            b"\x01",
            b"\x01\x01a",
            b"\x01\x01abc",
            b"\x80",
            b"\x01\x80",
            b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01\x01",
            b"\xff" * 9 + b"\x01\x00",
        ],
    )
    def test_strings_that_contradict_their_lengths_are_refused(self, content):
        refusal(proto_of(tf.string, [2], tensor_content=content))


LONG = 1 << 20


class TestBombs:
    """A small message must not become a large tensor, nor take long."""

    @pytest.mark.parametrize(
        "proto",
        [
            proto_of(tf.float32, [MAXIMUM_BYTES // 4 + 1], float_val=[1]),
            proto_of(tf.complex128, [MAXIMUM_BYTES // 16 + 1], dcomplex_val=[1, 1]),
            proto_of(tf.bool, [MAXIMUM_BYTES + 1], bool_val=[True]),
            proto_of(tf.float32, [1 << 20, 1 << 20]),
            proto_of(tf.float32, [1 << 62, 1 << 62, 1 << 62]),
            proto_of(tf.float32, [(1 << 63) - 1] * 64),
            proto_of(tf.float32, [2] * 65, float_val=[1]),
            proto_of(tf.float32, [1] * 65, float_val=[1]),
            proto_of(tf.float32, [0, 1 << 62]),
            proto_of(tf.string, [MAXIMUM_BYTES // 8 + 1], string_val=[b""]),
            proto_of(tf.string, [MAXIMUM_BYTES // 8 + 1]),
            proto_of(tf.string, [70], string_val=[b"1" * LONG]),
            proto_of(tf.string, [1 << 40], tensor_content=b"\x00" * 100),
            proto_of(tf.string, [8_000_000], tensor_content=bytes(8_000_000)),
        ],
        ids=range(14),
    )
    def test_a_large_shape_is_refused_at_once(self, proto):
        tracemalloc.start()
        refusal(proto)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 10_000_000

    def test_many_dimensions_are_refused_at_once(self):
        proto = proto_of(tf.float32, [3] * 300_000)
        assert len(refusal(proto)) < 200

    def test_a_length_without_end_is_refused_at_once(self):
        proto = proto_of(tf.string, [1], tensor_content=b"\xff" * 3_000_000)
        started = time.thread_time()
        refusal(proto)
        # Each byte is looked at once; what grows with the square takes minutes of CPU.
        assert time.thread_time() - started < 30

    def test_what_is_in_the_message_may_be_large(self):
        large = np.ones(MAXIMUM_BYTES // 4, np.float32)
        proto = proto_of(tf.float32, large.shape, tensor_content=large.tobytes())
        assert to_array("x", proto).nbytes == MAXIMUM_BYTES
        images = [b"1" * LONG] * 63
        assert to_array("x", proto_of(tf.string, [63], string_val=images)).tolist() == images

    def test_and_some_of_it_repeated(self):
        proto = proto_of(tf.string, [32], string_val=[b"1" * LONG])
        assert to_array("x", proto).shape == (32,)


DIMENSIONS = st.lists(
    st.integers(-3, 5) | st.sampled_from([2**31, 2**40, 2**62, 2**63 - 1, -(2**63)]), max_size=5
)
VALUES = {
    "tensor_content": st.binary(max_size=40),
    "float_val": st.lists(st.floats(width=32), max_size=5),
    "double_val": st.lists(st.floats(), max_size=5),
    "int_val": st.lists(st.integers(-(2**31), 2**31 - 1), max_size=5),
    "string_val": st.lists(st.binary(max_size=5), max_size=5),
    "int64_val": st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5),
    "bool_val": st.lists(st.booleans(), max_size=5),
    "half_val": st.lists(st.integers(-(2**31), 2**31 - 1), max_size=5),
    "scomplex_val": st.lists(st.floats(width=32), max_size=5),
    "dcomplex_val": st.lists(st.floats(), max_size=5),
    "uint32_val": st.lists(st.integers(0, 2**32 - 1), max_size=5),
    "uint64_val": st.lists(st.integers(0, 2**64 - 1), max_size=5),
}


@st.composite
def damaged(draw):
    """A message whose fields go together by chance alone."""
    dtype = draw(st.sampled_from(types_pb2.DataType.values()) | st.integers(-5, 200))
    proto = tensor_pb2.TensorProto(dtype=dtype)
    for size in draw(DIMENSIONS):
        proto.tensor_shape.dim.add(size=size, name=draw(st.text(max_size=2)))
    proto.tensor_shape.unknown_rank = draw(st.booleans())
    for name in draw(st.lists(st.sampled_from(list(VALUES)), max_size=2, unique=True)):
        value = draw(VALUES[name])
        if isinstance(value, bytes):
            proto.tensor_content = value
        else:
            getattr(proto, name).extend(value)
    proto.version_number = draw(st.integers(-5, 5))
    return proto


class TestDamage:
    """Whatever a client sends, it is read or refused."""

    @settings(max_examples=600)
    @given(damaged())
    def test_of_fields(self, proto):
        try:
            array = to_array("x", proto)
        except RequestError as error:
            assert error.code is StatusCode.INVALID_ARGUMENT  # noqa: PT017
        else:
            assert array.shape == tuple(dim.size for dim in proto.tensor_shape.dim)

    @settings(max_examples=300)
    @given(tensors(), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=4))
    def test_of_bytes(self, tensor, changes):
        sent = bytearray(to_proto(tensor[1], tensor[0]).SerializeToString())
        for place, value in changes:
            sent[place % len(sent)] = value
        try:
            proto = tensor_pb2.TensorProto.FromString(bytes(sent))
            to_array("x", proto)
        except (DecodeError, RequestError):
            return
