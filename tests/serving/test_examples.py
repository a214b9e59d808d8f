import base64
import re
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from grpc import StatusCode
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import input_pb2

from serving import examples
from serving.servable import Signature
from serving.status import RequestError


def refusal(function, *arguments):
    with pytest.raises(RequestError) as refused:
        function(*arguments)
    assert refused.value.code is StatusCode.INVALID_ARGUMENT
    return refused.value.message


def example(**values):
    """An Example of lists of bytes, floats or whole numbers."""
    message = tf.train.Example()
    for name, value in values.items():
        feature = message.features.feature[name]
        kinds = {bytes: feature.bytes_list, float: feature.float_list, int: feature.int64_list}
        for each in value:
            kinds[type(each)].value.append(each)
    return message


def read(serialized):
    return [tf.train.Example.FromString(each) for each in serialized]


def strings(values):
    array = np.empty(np.shape(values), object)
    array[...] = values
    return array


class TestFromInput:
    def test_each_example_is_read(self):
        given_ = [example(x=[1.5]), example(), example(y=[b"\xff"], z=[7, 8])]
        proto = input_pb2.Input(example_list=input_pb2.ExampleList(examples=given_))
        assert read(examples.from_input(proto)) == given_

    def test_each_gets_the_context_and_overrules_it(self):
        proto = input_pb2.Input()
        shared = proto.example_list_with_context
        shared.context.CopyFrom(example(x=[1.5], y=[2]))
        shared.examples.extend([example(), example(y=[3]), example(z=[4])])
        assert read(examples.from_input(proto)) == [
            example(x=[1.5], y=[2]),
            example(x=[1.5], y=[3]),
            example(x=[1.5], y=[2], z=[4]),
        ]

    @pytest.mark.parametrize("kind", [None, "example_list", "example_list_with_context"])
    def test_without_any_it_is_refused(self, kind):
        proto = input_pb2.Input()
        if kind:
            getattr(proto, kind).SetInParent()
        assert refusal(examples.from_input, proto) == "Input is empty."


class TestFromJson:
    def test_values_are_read_by_their_kind(self):
        row = {
            "text": "Zürich",
            "bytes": {"b64": base64.b64encode(b"\x00\xff").decode()},
            "float": 1.5,
            "whole": -(2**63),
            "truth": True,
            "list": [1, 2, 2**63 - 1],
            "texts": ["a", {"b64": "Yg=="}],
            "empty": [],
        }
        (found,) = read(examples.from_json({"examples": [row]}))
        expected = example(
            text=["Zürich".encode()],
            bytes=[b"\x00\xff"],
            float=[1.5],
            whole=[-(2**63)],
            truth=[1],
            list=[1, 2, 2**63 - 1],
            texts=[b"a", b"b"],
        )
        expected.features.feature["empty"].SetInParent()
        assert found == expected

    def test_the_context_is_shared(self):
        request = {"context": {"x": 1.5, "y": 2}, "examples": [{}, {"y": 3}]}
        found = read(examples.from_json(request))
        assert found == [example(x=[1.5], y=[2]), example(x=[1.5], y=[3])]

    def test_special_numbers_are_numbers(self):
        (found,) = read(examples.from_json({"examples": [{"x": [float("nan"), float("-inf")]}]}))
        assert [str(each) for each in found.features.feature["x"].float_list.value] == [
            "nan",
            "-inf",
        ]

    @pytest.mark.parametrize(
        "request_",
        [{}, {"examples": []}, {"examples": {}}, {"examples": None}, {"examples": "x"}],
    )
    def test_without_examples_it_is_refused(self, request_):
        assert "examples" in refusal(examples.from_json, request_)

    @pytest.mark.parametrize("value", [None, 1, "x", [], [{}], True])
    def test_what_is_no_example_is_refused(self, value):
        assert "Example must be" in refusal(examples.from_json, {"examples": [value]})
        assert "Example must be" in refusal(
            examples.from_json, {"examples": [{}], "context": value}
        )

    @pytest.mark.parametrize(
        "value",
        [
            None,
            [None],
            [[1]],
            {},
            {"b64": 1},
            {"b64": "A"},
            {"b64": "AA=="[:3]},
            {"b64": "!!!!"},
            {"b64": "AA==", "x": 1},
            2**63,
            -(2**63) - 1,
            [1, 1.5],
            [1.5, 1],
            ["a", 1],
            [1, "a"],
            [True, 0.5],
        ],
    )
    def test_what_no_feature_holds_is_refused(self, value):
        message = refusal(examples.from_json, {"examples": [{}, {"x": value}]})
        assert "feature: x" in message.lower() or "Feature: x" in message

    def test_half_a_character_breaks_nothing(self):
        (found,) = read(examples.from_json({"examples": [{"\ud800": "\ud800"}]}))
        assert found == example(**{"?": [b"?"]})

    @settings(max_examples=300, deadline=None)
    @given(
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats()
            | st.text(max_size=3)
            | st.builds(lambda text: {"b64": text}, st.text("AB=", max_size=5)),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
            max_leaves=8,
        )
    )
    def test_any_values_are_read_or_refused(self, value):
        for request in ({"examples": value}, {"examples": [{"x": value}]}, {"examples": [value]}):
            try:
                assert read(examples.from_json(request))
            except RequestError as error:
                assert error.code is StatusCode.INVALID_ARGUMENT  # noqa: PT017


def version_of(inputs, outputs):
    """A version with one signature, of these dtypes by name."""
    signature = Signature(
        meta_graph_pb2.SignatureDef(),
        {name: tf.TensorSpec([None], dtype) for name, dtype in inputs.items()},
        {name: tf.TensorSpec([None], dtype) for name, dtype in outputs.items()},
    )
    return SimpleNamespace(signatures={"s": signature})


ONE_INPUT = {"in": tf.string}


class TestCheck:
    @pytest.mark.parametrize(
        ("method", "outputs"),
        [
            ("classify", {"classes": tf.string, "scores": tf.float32}),
            ("classify", {"scores": tf.float32}),
            ("classify", {"classes": tf.string}),
            ("regress", {"outputs": tf.float32}),
        ],
    )
    def test_what_fits_tells_its_input(self, method, outputs):
        assert examples.check(version_of(ONE_INPUT, outputs), "s", method) == "in"

    @pytest.mark.parametrize(
        ("method", "outputs"),
        [
            ("classify", {"outputs": tf.float32}),
            ("classify", {}),
            ("classify", {"classes": tf.string, "scores": tf.float32, "more": tf.float32}),
            ("classify", {"classes": tf.string, "more": tf.float32}),
            ("regress", {"scores": tf.float32}),
            ("regress", {"outputs": tf.float32, "more": tf.float32}),
            ("regress", {}),
            ("classify", {"classes": tf.int64}),
            ("classify", {"classes": tf.string, "scores": tf.float64}),
            ("regress", {"outputs": tf.string}),
        ],
    )
    def test_other_outputs_are_refused(self, method, outputs):
        message = refusal(examples.check, version_of(ONE_INPUT, outputs), "s", method)
        assert re.search("output|classes|scores", message)

    @pytest.mark.parametrize(
        "inputs", [{}, {"in": tf.float32}, {"in": tf.string, "more": tf.string}]
    )
    @pytest.mark.parametrize(
        ("method", "outputs"),
        [("classify", {"scores": tf.float32}), ("regress", {"outputs": tf.float32})],
    )
    def test_other_inputs_are_refused(self, method, inputs, outputs):
        message = refusal(examples.check, version_of(inputs, outputs), "s", method)
        assert "Expected one input Tensor of Examples" in message

    def test_an_unknown_signature_is_refused(self):
        message = refusal(examples.check, version_of(ONE_INPUT, {}), "other", "classify")
        assert message == "No signature was found with the name: other"


class TestClassifications:
    LABELS = strings([[b"low", b"high"], [b"low", b"\xff"]])
    SCORES = np.array([[0.25, 0.75], [0.5, 0.5]], np.float32)

    def told(self, **outputs):
        result = examples.classifications(outputs)
        return [[(one.label, one.score) for one in row.classes] for row in result.classifications]

    def test_labels_have_their_scores(self):
        assert self.told(classes=self.LABELS, scores=self.SCORES) == [
            [("low", 0.25), ("high", 0.75)],
            [("low", 0.5), ("\ufffd", 0.5)],
        ]

    def test_either_may_be_missing(self):
        assert self.told(scores=self.SCORES)[0] == [("", 0.25), ("", 0.75)]
        assert self.told(classes=self.LABELS)[0] == [("low", 0), ("high", 0)]

    @pytest.mark.parametrize(
        "outputs",
        [
            {"scores": SCORES[0]},
            {"classes": LABELS[0]},
            {"scores": SCORES[None]},
            {"scores": SCORES[0, 0]},
            {"classes": LABELS, "scores": SCORES[:, :1]},
            {"classes": LABELS[:1], "scores": SCORES},
        ],
    )
    def test_other_shapes_are_refused(self, outputs):
        """classifier.cc: "Expected Tensor shape: [batch_size num_classes]"."""
        assert "shape" in refusal(examples.classifications, outputs)


class TestRegressions:
    def told(self, values):
        return [one.value for one in examples.regressions({"outputs": values}).regressions]

    def test_each_example_has_its_value(self):
        assert self.told(np.array([0.5, 2], np.float32)) == [0.5, 2]
        assert self.told(np.array([[0.5], [2]], np.float32)) == [0.5, 2]

    @pytest.mark.parametrize("shape", [(), (2, 2), (2, 1, 1), (2, 0)])
    def test_other_shapes_are_refused(self, shape):
        """regressor.cc: "to be either [batch_size] or [batch_size, 1]"."""
        assert "shape" in refusal(examples.regressions, {"outputs": np.zeros(shape)})
