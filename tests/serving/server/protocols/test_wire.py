import contextlib

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import predict_pb2

from serving.server.protocols.wire import (
    MalformedError,
    example_images,
    predict_request_memory,
    steps_for,
)
from transform_module import contract


def example(**values):
    message = tf.train.Example()
    for name, value in values.items():
        if isinstance(value, bytes):
            message.features.feature[name].bytes_list.value.append(value)
        else:
            message.features.feature[name].int64_list.value.append(value)
    return message.SerializeToString()


def images(content):
    return [bytes(each) for each in example_images(content)]


@given(st.binary(), st.binary(), st.integers())
def test_the_image_is_found(image, other, label):
    label %= 2**63
    assert images(example(image=image, label=label, imag=other, image_2=other)) == [image]


def test_an_example_without_an_image_has_none():
    assert images(b"") == images(example(label=1)) == []
    message = tf.train.Example()
    message.features.feature[contract.IMAGE].SetInParent()
    assert images(message.SerializeToString()) == []


@pytest.mark.parametrize("values", [(), (b"a", b"b")])
def test_an_image_is_one_string(values):
    message = tf.train.Example()
    message.features.feature[contract.IMAGE].bytes_list.value.extend(values)
    message.features.feature[contract.IMAGE].bytes_list.SetInParent()
    with pytest.raises(MalformedError, match="not one string"):
        images(message.SerializeToString())
    with pytest.raises(MalformedError, match="not one string"):
        images(example(image=5))


def test_the_fields_of_all_examples_together_are_limited():
    costly, usual = b"\x12\0" * 60_000, example(image=b"a", label=1)
    steps = steps_for(3)
    example_images(costly, steps)
    with pytest.raises(MalformedError, match="too many fields"):
        example_images(costly, steps)
    steps = steps_for(3_000)
    assert [example_images(usual, steps)[0] for _ in range(3_000)] == [b"a"] * 3_000


@given(st.binary())
def test_what_is_not_an_example_is_refused_before_tensorflow_does(content):
    spec = {contract.IMAGE: tf.io.FixedLenFeature([], tf.string, default_value="")}
    try:
        found = images(content)
    except MalformedError:
        return
    parsed = tf.io.parse_example([content], spec)[contract.IMAGE].numpy()[0]
    assert parsed == (found[-1] if found else b"")


@given(st.data())
def test_a_damaged_example_never_fails_a_batch(data):
    content = bytearray(example(image=b"abc", label=3, filename=b"x"))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    test_what_is_not_an_example_is_refused_before_tensorflow_does.hypothesis.inner_test(
        bytes(content)
    )


def request(**tensor):
    message = predict_pb2.PredictRequest()
    message.inputs["x"].MergeFrom(tf.make_tensor_proto([1.0]))
    message.inputs["x"].ClearField("float_val")
    message.inputs["x"].MergeFrom(type(message.inputs["x"])(**tensor))
    return message.SerializeToString()


def test_strings_and_floats_take_what_they_take():
    for tensor in ({"string_val": [b"x" * 1000]}, {"float_val": [1.0] * 1000}):
        message = request(**tensor)
        assert predict_request_memory(message) < len(message) + 100


@pytest.mark.parametrize("field", ["int_val", "int64_val", "bool_val", "half_val", "uint64_val"])
def test_numbers_of_a_byte_may_take_eight(field):
    assert predict_request_memory(request(**{field: [1] * 1000})) > 8000


def test_what_was_written_to_take_much_is_refused():
    for tensor in (
        {"string_val": [b""] * 100_001},
        {"resource_handle_val": [{}]},
        {"variant_val": [{}]},
        {"tensor_shape": {"dim": [{}] * 3000}},
    ):
        with pytest.raises(MalformedError):
            predict_request_memory(request(dtype=types_pb2.DT_STRING, **tensor))


@given(st.binary())
def test_any_bytes_are_measured_or_refused(content):
    with contextlib.suppress(MalformedError):
        assert predict_request_memory(content) >= len(content)
