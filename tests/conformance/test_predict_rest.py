"""Predict over REST, on the signatures of every pushed model.

Sources: api_rest.md, "Predict API", "Encoding binary values" and the errors' form at its top;
http_rest_api_handler.cc and json_tensor.cc with their tests for codes and messages;
http_server.cc for the HTTP status of a code.
"""

import gzip
import json

import pytest
import tensorflow as tf

from tests.conformance.clients import b64, error_of, response_of
from tests.conformance.images import BROKEN, WHOLE
from tests.conformance.models import LABEL, VERSION
from transform_module import contract

GREY = b64(WHOLE["grey"])
WHITE = b64(WHOLE["white"])
BAD = b64(BROKEN["text"])
INVALID_RESPONSE = {
    contract.PROBABILITY: 0.5,
    contract.PREDICTED_LABEL: contract.INVALID,
    contract.VALID: False,
    contract.IN_DOMAIN: False,
    contract.TRIAGE: contract.REVIEW,
}
OUTPUTS = {*INVALID_RESPONSE, contract.DOMAIN_DISTANCE}


def is_invalid(body: dict) -> bool:
    """Whether the only row is that of what is not an image, at whatever distance."""
    (row,) = check_rows(body, 1)
    return {**row, **INVALID_RESPONSE} == row


def named(value) -> dict:
    return {contract.IMAGE_BYTES: value}


def check_rows(body: dict, count: int) -> list[dict]:
    assert list(body) == ["predictions"]
    rows = body["predictions"]
    assert len(rows) == count
    for row in rows:
        assert set(row) == OUTPUTS
        assert isinstance(row[contract.PROBABILITY], float)
        assert 0 <= row[contract.PROBABILITY] <= 1
        assert isinstance(row[contract.VALID], bool)
        assert isinstance(row[contract.IN_DOMAIN], bool)
        assert row[contract.DOMAIN_DISTANCE] >= 0
        assert row[contract.PREDICTED_LABEL] in (*contract.LABELS, contract.INVALID)
        assert row[contract.TRIAGE] in (*contract.LABELS, contract.REVIEW)
    return rows


class TestRows:
    """api_rest.md, "Specifying input tensors in row format"."""

    def test_named(self, rest):
        # "each item is expected to be an object containing input name/tensor value pair"
        body = response_of(rest.post({"instances": [named(GREY)]}))
        assert check_rows(body, 1)[0][contract.VALID] is True

    def test_value_alone(self, rest):
        # "When there is only one named input, specify the value of instances key to be the value
        # of the input"
        alone = response_of(rest.post({"instances": [GREY]}))
        assert alone == response_of(rest.post({"instances": [named(GREY)]}))

    def test_several(self, rest):
        # "If the model outputs multiple named tensors, we output a list of objects instead"
        body = response_of(rest.post({"instances": [named(GREY), named(BAD), named(WHITE)]}))
        rows = check_rows(body, 3)
        assert [row[contract.VALID] for row in rows] == [True, False, True]
        assert INVALID_RESPONSE.items() <= rows[1].items()

    @pytest.mark.parametrize("text", ["", "no image", "Zürich 漢字 😀", "\\u0000", '"quotes"'])
    def test_text_instead_of_bytes(self, rest, text):
        # "JSON mapping": DT_STRING is a string; bytes *must* be encoded, but need not be bytes.
        body = response_of(rest.post({"instances": [text]}))
        assert is_invalid(body)

    def test_empty_bytes(self, rest):
        body = response_of(rest.post({"instances": [{"b64": ""}]}))
        assert is_invalid(body)

    def test_base64_without_padding(self, rest):
        # absl/strings/escaping.h, Base64Unescape: padding is optional, and right where it is there.
        padded = b64(WHOLE["white"] + b"\0" * (-(len(WHOLE["white"]) + 2) % 3))
        assert padded["b64"].endswith("=")
        bare = {"b64": padded["b64"].rstrip("=")}
        assert response_of(rest.post({"instances": [bare]})) == response_of(
            rest.post({"instances": [padded]})
        )

    @pytest.mark.parametrize(
        "text", ["AAA*", "A", "====", "AA=A", "_-8=", "QUJD?", "Zürich"], ids=ascii
    )
    def test_no_base64(self, rest, text):
        # json_tensor.cc, JsonDecodeBase64Object: "Unable to base64 decode"
        error_of(rest.post({"instances": [{"b64": text}]}), 400)

    @pytest.mark.parametrize("value", [{"b64": 5}, {"b64": None}, {"b64": "AA==", "more": 1}, {}])
    def test_object_that_is_not_base64(self, rest, value):
        # json_tensor.cc, IsValBase64Object: the only key is b64, and its value a string.
        error_of(rest.post({"instances": [named(value)]}), 400)

    @pytest.mark.parametrize("value", [5, 1.5, True, False, None])
    def test_wrong_type(self, rest, value):
        # json_tensor.cc, TypeError
        error_of(rest.post({"instances": [named(value)]}), 400)

    def test_the_bad_element_is_named(self, rest):
        assert "2" in error_of(rest.post({"instances": [GREY, GREY, 7]}), 400)

    def test_empty_list(self, rest):
        # json_tensor.cc: "No values in 'instances' array"
        error_of(rest.post({"instances": []}), 400)

    @pytest.mark.parametrize("value", [{}, {"image_bytes": "x"}, "x", 1, None, True])
    def test_no_list(self, rest, value):
        # json_tensor.cc: "Excepting 'instances' to be an list/array"
        error_of(rest.post({"instances": value}), 400)

    def test_missing_key(self, rest):
        # json_tensor.cc: each object must have one key for each named tensor; the wording
        # changed from "must only have keys" to "keys must be equal to".
        error_of(rest.post({"instances": [named(GREY), {}]}), 400)

    @pytest.mark.parametrize("extra", [{"more": "x"}, {"b64": "AA=="}])
    def test_extra_key(self, rest, extra):
        # json_tensor.cc, AddInstanceItem: "JSON object: does not have named input: "
        error_of(rest.post({"instances": [{**named(GREY), **extra}]}), 400)

    def test_object_then_value(self, rest):
        error_of(rest.post({"instances": [named(GREY), GREY]}), 400)

    def test_value_then_object(self, rest):
        error_of(rest.post({"instances": [GREY, named(GREY)]}), 400)

    def test_list_beside_value(self, rest):
        # json_tensor.cc, AddInstanceItem: as many values, but in another shape
        error_of(rest.post({"instances": ["a", ["b"]]}), 400)

    def test_one_rank_too_many(self, rest):
        # A matrix of images is what the graph refuses.
        assert error_of(rest.post({"instances": [[GREY]]}), 400)


class TestColumns:
    """api_rest.md, "Specifying input tensors in column format"."""

    def test_named(self, rest):
        # "If the model outputs multiple named tensors, we output an object instead."
        body = response_of(rest.post({"inputs": named([GREY, BAD])}))
        assert list(body) == ["outputs"]
        assert set(body["outputs"]) == OUTPUTS
        assert body["outputs"][contract.VALID] == [True, False]
        assert body["outputs"][contract.PROBABILITY][1] == 0.5
        assert body["outputs"][contract.PREDICTED_LABEL][1] == contract.INVALID

    def test_value_alone(self, rest):
        # "The value for inputs key can either a single input tensor or a map"
        alone = response_of(rest.post({"inputs": [GREY]}))
        assert alone == response_of(rest.post({"inputs": named([GREY])}))

    def test_agrees_with_rows(self, rest):
        values = [GREY, BAD, WHITE]
        columns = response_of(rest.post({"inputs": values}))["outputs"]
        rows = response_of(rest.post({"instances": values}))["predictions"]
        assert rows == [{name: columns[name][index] for name in OUTPUTS} for index in range(3)]

    def test_extra_input_is_ignored(self, rest):
        # json_tensor.cc, FillTensorMapFromInputsMap walks over the signature's inputs alone.
        extra = response_of(rest.post({"inputs": {**named([GREY]), "more": [1]}}))
        assert extra == response_of(rest.post({"inputs": [GREY]}))

    @pytest.mark.parametrize("inputs", [{}, {"more": [1]}, {"IMAGE_BYTES": ["x"]}])
    def test_missing_input(self, rest, inputs):
        # json_tensor.cc: "Missing named input: ", name, " in 'inputs' object."
        error_of(rest.post({"inputs": inputs}), 400)

    def test_empty_list(self, rest):
        # No rule against it: the graph gets a tensor of shape [0], and may refuse it.
        response = rest.post({"inputs": []})
        if response.status_code == 200:
            assert response_of(response) == {"outputs": {name: [] for name in OUTPUTS}}
        else:
            error_of(response, 400)

    @pytest.mark.parametrize("value", [GREY, named(GREY), "x"], ids=["bytes", "named", "text"])
    def test_scalar(self, rest, value):
        # A valid tensor of rank 0, which the graph refuses.
        assert error_of(rest.post({"inputs": value}), 400)

    def test_wrong_type(self, rest):
        error_of(rest.post({"inputs": [1]}), 400)

    def test_null(self, rest):
        error_of(rest.post({"inputs": None}), 400)


class TestBody:
    """api_rest.md, "Request format": what the body as a whole must be."""

    def test_both_formats(self, rest):
        # "A request can have either of them but NOT both."
        error_of(rest.post({"instances": [GREY], "inputs": [GREY]}), 400)

    @pytest.mark.parametrize("body", [{}, {"examples": []}, {"Instances": ["x"]}])
    def test_neither_format(self, rest, body):
        # json_tensor.cc: "Missing 'inputs' or 'instances' key"
        error_of(rest.post(body), 400)

    @pytest.mark.parametrize("body", [b"", b" \n"], ids=["nothing", "blanks"])
    def test_empty(self, rest, body):
        # json_tensor.cc, ParseJson: "JSON Parse error: The document is empty"
        error_of(rest.post(body), 400)

    @pytest.mark.parametrize(
        "body",
        [
            "instances = [1, 2]",
            '{"instances": ["x"]',
            '{"instances": ["x"],}',
            '{"instances": ["x",]}',
            "{'instances': ['x']}",
            '{instances: ["x"]}',
            '{"instances": ["x"]} more',
            '{"instances": ["x"]}{}',
            '{"instances": [tru]}',
            '{"instances": [01]}',
            '{"instances": ["a\tb"]}',
            '{"instances": ["\\x"]}',
            '{"instances": ["\\ud800"]}',
            '{"instances": [1e999]}',
            "/* no comment */ {}",
            "\x00",
        ],
        ids=ascii,
    )
    def test_no_json(self, rest, body):
        # json_tensor.cc, ParseJson: "JSON Parse error: ", what RapidJSON says, " at offset: ", n
        error_of(rest.post(body), 400)

    @pytest.mark.parametrize("body", ["[]", '["x"]', '"x"', "5", "null", "true"])
    def test_no_object(self, rest, body):
        # json_tensor.cc, ParseJson: "Is not object"
        assert error_of(rest.post(body), 400).endswith(" Is not object")

    def test_byte_order_mark(self, rest):
        # json_tensor.cc reads with EncodedInputStream<UTF8>, which skips the mark.
        body = json.dumps({"instances": ["x"]}).encode("utf-8-sig")
        assert is_invalid(response_of(rest.post(body)))

    def test_unknown_keys_are_ignored(self, rest):
        # json_tensor.cc looks for its own keys.
        body = response_of(rest.post({"instances": ["x"], "parameters": {"more": [1]}}))
        assert is_invalid(body)

    @pytest.mark.parametrize(
        "headers",
        [
            {"content-type": "application/json"},
            {"content-type": "application/x-www-form-urlencoded"},
            {"content-type": "text/plain; charset=latin-1"},
            {},
        ],
        ids=["json", "form", "text", "none"],
    )
    def test_content_type_does_not_matter(self, rest, headers):
        # api_rest.md, "Example": `curl -d` without a header sends a form's content type.
        response = rest.post({"instances": ["x"]}, headers=headers)
        assert is_invalid(response_of(response))

    def test_compressed(self, rest):
        # evhttp_request.cc, NeedUncompressGzipContent
        body = gzip.compress(json.dumps({"instances": ["x"]}).encode())
        response = rest.post(body, headers={"content-encoding": "gzip"})
        assert is_invalid(response_of(response))

    def test_compressed_response_is_not_compulsory(self, rest):
        response = rest.post({"instances": ["x"]}, headers={"accept-encoding": "identity"})
        assert "content-encoding" not in response.headers
        assert is_invalid(response_of(response))

    def test_error_is_valid_json_whatever_was_sent(self, rest):
        # json_tensor.cc, MakeJsonFromStatus writes the message as a JSON string.
        error_of(rest.post({"inputs": {'"quoted"\n\\ 漢': 1}}), 400)
        error_of(rest.post({"instances": [{'"quoted"\n\\ 漢': 1}]}), 400)


class TestAbsent:
    """What a pushed model cannot be used for: serving/README.md."""

    pytestmark = pytest.mark.embedded("TensorFlow Serving takes these")

    @pytest.mark.parametrize("method", ["classify", "regress"])
    def test_method(self, rest, method):
        message = error_of(rest.post({"examples": [{}]}, f":{method}"), 501)
        assert "serving/README.md" in message


class TestLabel:
    """serving_config.md, "Assigning String Labels to Model Versions"."""

    pytestmark = pytest.mark.embedded("needs a label")

    def test_predict(self, rest):
        labelled = response_of(rest.post({"instances": [GREY]}, f"/labels/{LABEL}:predict"))
        assert labelled == response_of(rest.post({"instances": [GREY]}))

    @pytest.mark.parametrize("path", ["", "/metadata"])
    def test_status_and_metadata(self, rest, path):
        assert response_of(rest.get(f"/labels/{LABEL}{path}")) == response_of(
            rest.get(f"/versions/{VERSION}{path}")
        )


class TestAddress:
    """api_rest.md, "URL", and http_rest_api_util.cc."""

    def test_version(self, rest, version):
        path = f"/versions/{version}:predict"
        body = response_of(rest.post({"instances": [GREY]}, path))
        assert body == response_of(rest.post({"instances": [GREY]}))

    def test_unknown_version(self, rest):
        # basic_manager.cc: NotFound("Servable not found for request: ", ...)
        error_of(rest.post({"instances": ["x"]}, "/versions/999999999:predict"), 404)

    def test_unknown_model(self, rest):
        # api_rest.md, "Example": "Servable not found for request: Latest(half)"
        error_of(rest.post({"instances": ["x"]}, model="half"), 404)

    def test_body_is_parsed_before_the_model_is_looked_for(self, rest):
        # json_tensor.cc, FillPredictRequestFromJson: ParseJson comes before the signature.
        error_of(rest.post("no json", model="nope"), 400)

    def test_model_is_looked_for_before_the_tensors(self, rest):
        error_of(rest.post({}, model="nope"), 404)

    def test_unknown_label(self, rest):
        # http_rest_api_handler_test.cc, PredictRequestErrors: an InvalidArgument
        error_of(rest.post({"instances": ["x"]}, "/labels/nope:predict"), 400)

    @pytest.mark.parametrize(
        "path",
        [
            "",
            "/",
            "/predict",
            ":",
            ":nope",
            ":PREDICT",
            ":predict/",
            ":predict:predict",
            "/versions/one:predict",
            "/versions/-1:predict",
            "/versions/:predict",
            "/version/1:predict",
            "/label/stable:predict",
            "/versions/1/labels/stable:predict",
        ],
    )
    def test_malformed_path(self, rest, path):
        # http_rest_api_handler_test.cc, UnsupportedApiCalls. ":PREDICT" matches the regular
        # expression, which ignores case, and then no method, which does not.
        error_of(rest.post({"instances": ["x"]}, path), 400)

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
    def test_wrong_method(self, rest, method):
        # http_rest_api_handler_test.cc, UnsupportedApiCalls: "GET ...:predict" is not a 405.
        path = f"/v1/models/{rest.model}:predict"
        error_of(rest.client.request(method, path), 400)

    def test_version_of_more_than_64_bits(self, rest):
        # http_rest_api_handler_test.cc, UnsupportedApiCalls: "Failed to convert version";
        # ProcessRequest returns before it writes the body, so real servers may send an empty one.
        response = rest.post({"instances": ["x"]}, f"/versions/{2**64 - 1}:predict")
        assert response.status_code == 400
        assert response.text == "" or "Failed to convert version" in error_of(response, 400)


class TestSignature:
    """api_rest.md: "(Optional) Serving signature to use"."""

    @pytest.mark.parametrize("name", ["serving_default", ""])
    def test_default(self, rest, name):
        # "If unspecifed default serving signature is used." An empty name is none:
        # http_rest_api_handler.cc, GetInfoMap.
        body = response_of(rest.post({"signature_name": name, "instances": [GREY]}))
        assert body == response_of(rest.post({"instances": [GREY]}))

    def test_other(self, rest):
        example = tf.train.Example()
        example.features.feature[contract.IMAGE].bytes_list.value.append(WHOLE["grey"])
        value = b64(example.SerializeToString())
        body = response_of(rest.post({"signature_name": "serve_examples", "instances": [value]}))
        row = check_rows(body, 1)[0]
        direct = response_of(rest.post({"instances": [GREY]}))["predictions"][0]
        assert row[contract.PROBABILITY] == pytest.approx(direct[contract.PROBABILITY], rel=1e-5)
        assert row[contract.PREDICTED_LABEL] == direct[contract.PREDICTED_LABEL]

    def test_unknown(self, rest):
        # http_rest_api_handler.cc, GetInfoMap: InvalidArgument
        error_of(rest.post({"signature_name": "nope", "instances": ["x"]}), 400)

    @pytest.mark.parametrize("name", [5, None, True, ["serving_default"], {}])
    def test_no_text(self, rest, name):
        # json_tensor.cc, FormatSignatureError
        error_of(rest.post({"signature_name": name, "instances": ["x"]}), 400)

    def test_input_of_another_signature(self, rest):
        error_of(rest.post({"instances": [{contract.EXAMPLES: "x"}]}), 400)
