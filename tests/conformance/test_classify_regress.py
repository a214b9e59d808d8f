"""Classify and Regress, over REST and gRPC.

Sources: api_rest.md, "Classify and Regress API"; classification.proto, regression.proto and
input.proto; json_tensor.cc, classifier.cc, regressor.cc and util.cc for codes and messages. The
answer's key is "results" in json_tensor.cc and its test, and "result" in api_rest.md.
"""

import re

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import classification_pb2, regression_pb2

from tests.conformance.clients import answer_of, error_of, refused
from tests.conformance.models import CLASSIFY, REGRESS

VERBS = pytest.mark.parametrize("verb", ["classify", "regress"])
EXAMPLES = {"examples": [{"x": 0.75}]}
INVALID = grpc.StatusCode.INVALID_ARGUMENT

# With --enable_signature_method_name_check the method's name is what is wrong with a signature for
# Predict; without, which is the default, its number of outputs (classifier.cc, regressor.cc).
WRONG_SIGNATURE = {
    "classify": r"(classification signature method_name to be tensorflow/serving/classify"
    r"|one or two output Tensors, found [35])",
    "regress": r"(regression signature method_name to be tensorflow/serving/regress"
    r"|one output Tensor)",
}


@VERBS
class TestRestErrors:
    """json_tensor.cc, FillClassifyRegressRequestFromJson."""

    def error(self, rest, verb, body, status=400, **arguments) -> str:
        return error_of(rest.post(body, f":{verb}", **arguments), status)

    def test_signature_for_predict(self, rest, verb):
        assert re.search(WRONG_SIGNATURE[verb], self.error(rest, verb, EXAMPLES))

    def test_unknown_signature(self, rest, verb):
        message = self.error(rest, verb, {**EXAMPLES, "signature_name": "nope"})
        assert "No signature was found with the name: nope" in message

    def test_signature_name_is_no_text(self, rest, verb):
        message = self.error(rest, verb, {**EXAMPLES, "signature_name": 1})
        assert message.endswith("'signature_name' key must be a string value.")

    def test_unknown_model(self, rest, verb):
        message = self.error(rest, verb, EXAMPLES, 404, model="nope")
        assert message == "Servable not found for request: Latest(nope)"

    def test_unknown_version(self, rest, verb):
        response = rest.post(EXAMPLES, f"/versions/999999999:{verb}")
        message = f"Servable not found for request: Specific({rest.model}, 999999999)"
        assert error_of(response, 404) == message

    def test_unknown_label(self, rest, verb):
        message = error_of(rest.post(EXAMPLES, f"/labels/nope:{verb}"), 400)
        assert message == "Unrecognized servable version label: nope"

    def test_no_examples(self, rest, verb):
        # The message names classify, whatever the method.
        message = self.error(rest, verb, {"instances": ["x"]})
        assert "When method is classify, key 'examples' is expected and was not found" in message

    @pytest.mark.parametrize("examples", [{}, "x", 1, None])
    def test_examples_are_no_list(self, rest, verb, examples):
        message = self.error(rest, verb, {"examples": examples})
        assert "Expecting 'examples' value to be an list/array" in message

    def test_empty_list(self, rest, verb):
        message = self.error(rest, verb, {"examples": []})
        assert "'examples' value is an empty array" in message

    @pytest.mark.parametrize(
        ("example", "type_name"),
        [(1, "Number"), ("x", "String"), (None, "Null"), ([], "Array"), (True, "True")],
    )
    def test_example_is_no_object(self, rest, verb, example, type_name):
        message = self.error(rest, verb, {"examples": [example]})
        assert message == f"Example must be JSON object but got JSON {type_name}"

    @pytest.mark.parametrize(
        ("value", "type_name"), [(None, "Null"), ([[1]], "Array"), ({"a": 1}, "Object")]
    )
    def test_feature_of_a_wrong_type(self, rest, verb, value, type_name):
        message = self.error(rest, verb, {"examples": [{"x": value}]})
        assert message == f"Feature: x has element with unexpected JSON type: {type_name}"

    @pytest.mark.parametrize(
        ("value", "kind"),
        [([1, "a"], "int64"), (["a", 1], "bytes"), ([1.5, 2], "float"), ([True, 1.5], "int64")],
    )
    def test_feature_of_several_types(self, rest, verb, value, kind):
        # Whole numbers are int64, so that [1.5, 2] are two kinds.
        message = self.error(rest, verb, {"examples": [{"x": value}]})
        assert message == f"Unexpected element type in feature: x expecting type: {kind}"

    def test_feature_of_more_than_63_bits(self, rest, verb):
        message = self.error(rest, verb, {"examples": [{"x": 2**63}]})
        assert "Feature: x has uint64 element. Only int64 is supported." in message

    def test_context_is_no_object(self, rest, verb):
        message = self.error(rest, verb, {**EXAMPLES, "context": [1]})
        assert message == "Example must be JSON object but got JSON Array"

    def test_no_json(self, rest, verb):
        assert self.error(rest, verb, "no json").startswith("JSON Parse error: ")

    def test_no_object(self, rest, verb):
        assert self.error(rest, verb, "[]").endswith(" Is not object")


@pytest.mark.signature(CLASSIFY)
class TestClassify:
    def post(self, rest, *examples, **more):
        body = {"signature_name": CLASSIFY, "examples": list(examples), **more}
        return answer_of(rest.post(body, ":classify"))

    def test_answer(self, rest):
        # api_rest.md: "List of class label/score pairs for first Example (in request)"
        body = self.post(rest, {"x": 0.75}, {"x": [0.5]})
        assert body == {"results": [[["low", 0.25], ["high", 0.75]], [["low", 0.5], ["high", 0.5]]]}

    def test_version(self, rest, version):
        body = {"signature_name": CLASSIFY, **EXAMPLES}
        response = rest.post(body, f"/versions/{version}:classify")
        assert answer_of(response) == {"results": [[["low", 0.25], ["high", 0.75]]]}

    def test_context(self, rest):
        # api_rest.md: "Common context shared by all examples."
        body = self.post(rest, {}, {"other": "text"}, context={"x": 0.75})
        assert body == {"results": [[["low", 0.25], ["high", 0.75]]] * 2}

    def test_feature_that_the_graph_refuses(self, rest):
        body = {"signature_name": CLASSIFY, "examples": [{"x": "text"}]}
        assert error_of(rest.post(body, ":classify"), 400)

    def test_grpc(self, rpc, version):
        request = classification_pb2.ClassificationRequest(model_spec=rpc.spec(CLASSIFY))
        for value in (0.75, 0.5):
            example = request.input.example_list.examples.add()
            example.features.feature["x"].float_list.value.append(value)
        answer = rpc.prediction.Classify(request)
        rows = [
            [(one.label, one.score) for one in row.classes] for row in answer.result.classifications
        ]
        assert rows == [[("low", 0.25), ("high", 0.75)], [("low", 0.5), ("high", 0.5)]]
        assert (answer.model_spec.name, answer.model_spec.version.value) == (rpc.model, version)
        assert answer.model_spec.signature_name == CLASSIFY

    def test_grpc_with_context(self, rpc):
        # input.proto, ExampleListWithContext: "the same set of features"
        request = classification_pb2.ClassificationRequest(model_spec=rpc.spec(CLASSIFY))
        shared = request.input.example_list_with_context
        shared.context.features.feature["x"].float_list.value.append(0.75)
        shared.examples.add()
        shared.examples.add()
        answer = rpc.prediction.Classify(request)
        scores = [row.classes[1].score for row in answer.result.classifications]
        assert scores == [0.75, 0.75]


@pytest.mark.signature(REGRESS)
class TestRegress:
    def test_answer(self, rest):
        # api_rest.md: "One regression value for each example in the request in the same order."
        body = {"signature_name": REGRESS, "examples": [{"x": 1.0}, {"x": 0.25}, {}]}
        assert answer_of(rest.post(body, ":regress")) == {"results": [2.0, 0.5, 0.5]}

    def test_grpc(self, rpc, version):
        request = regression_pb2.RegressionRequest(model_spec=rpc.spec(REGRESS))
        for value in (1.0, 0.25):
            example = request.input.example_list.examples.add()
            example.features.feature["x"].float_list.value.append(value)
        answer = rpc.prediction.Regress(request)
        assert [one.value for one in answer.result.regressions] == [2.0, 0.5]
        assert (answer.model_spec.name, answer.model_spec.version.value) == (rpc.model, version)
        assert answer.model_spec.signature_name == REGRESS


class TestGrpcErrors:
    REQUESTS = (
        ("Classify", classification_pb2.ClassificationRequest, "classify", CLASSIFY),
        ("Regress", regression_pb2.RegressionRequest, "regress", REGRESS),
    )

    @pytest.fixture(params=REQUESTS, ids=lambda one: one[2])
    def method(self, request, rpc):
        name, kind, verb, signature = request.param
        message = kind(model_spec=rpc.spec())
        example = message.input.example_list.examples.add()
        example.CopyFrom(tf.train.Example())
        return getattr(rpc.prediction, name), message, verb, signature

    def test_signature_for_predict(self, method):
        call, request, verb, _ = method
        error = refused(call, request, INVALID)
        assert re.search(WRONG_SIGNATURE[verb], error.details())

    def test_unknown_signature(self, method):
        call, request, _, _ = method
        request.model_spec.signature_name = "nope"
        refused(call, request, INVALID, "No signature was found with the name: nope")

    def test_unknown_model(self, method):
        call, request, _, _ = method
        request.model_spec.name = "nope"
        message = "Servable not found for request: Latest(nope)"
        refused(call, request, grpc.StatusCode.NOT_FOUND, message)

    def test_no_model_name(self, method):
        call, request, _, _ = method
        request.model_spec.name = ""
        refused(call, request, INVALID, "ModelSpec has no name specified.")

    def test_no_model(self, method):
        # classification_service.cc, regression_service.cc: "Missing ModelSpec"
        call, request, _, _ = method
        request.ClearField("model_spec")
        refused(call, request, INVALID, "Missing ModelSpec")

    @pytest.mark.embedded("needs the signatures of the tests' model")
    def test_no_examples(self, method):
        # util.cc, InputToSerializedExampleTensor: "Input is empty."
        call, request, _, signature = method
        request.model_spec.signature_name = signature
        request.input.Clear()
        refused(call, request, INVALID, "Input is empty")
