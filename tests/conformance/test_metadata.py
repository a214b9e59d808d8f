"""What a model's signatures are, over REST and gRPC.

Sources: api_rest.md, "Model Metadata API"; get_model_metadata.proto; get_model_metadata_impl.cc;
saved_model_half_plus_two_2_versions_metadata.json, which http_rest_api_handler_test.cc expects.
"""

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2, model_pb2

from tests.conformance.clients import error_of, refused, response_of
from transform_module import contract

PREDICT = "tensorflow/serving/predict"


def test_form(rest, version):
    body = response_of(rest.get("/metadata"))
    assert set(body) == {"model_spec", "metadata"}
    assert body["model_spec"]["name"] == rest.model
    # 64-bit integers are text, and fields with default values are printed.
    assert body["model_spec"]["version"] == str(version)
    assert body["model_spec"]["signature_name"] == ""
    assert list(body["metadata"]) == ["signature_def"]
    assert list(body["metadata"]["signature_def"]) == ["signature_def"]


def test_default_signature(signatures):
    signature = signatures[contract.SERVING_DEFAULT]
    assert signature["method_name"] == PREDICT
    assert set(signature["inputs"]) == {contract.IMAGE_BYTES}
    assert set(signature["outputs"]) == {
        contract.PROBABILITY,
        contract.PREDICTED_LABEL,
        contract.VALID,
        contract.IN_DOMAIN,
        contract.DOMAIN_DISTANCE,
        contract.TRIAGE,
    }


@pytest.mark.parametrize(
    ("side", "name", "dtype"),
    [
        ("inputs", contract.IMAGE_BYTES, "DT_STRING"),
        ("outputs", contract.PROBABILITY, "DT_FLOAT"),
        ("outputs", contract.PREDICTED_LABEL, "DT_STRING"),
        ("outputs", contract.VALID, "DT_BOOL"),
        ("outputs", contract.IN_DOMAIN, "DT_BOOL"),
        ("outputs", contract.DOMAIN_DISTANCE, "DT_FLOAT"),
        ("outputs", contract.TRIAGE, "DT_STRING"),
    ],
)
def test_tensor(signatures, side, name, dtype):
    # The expected JSON of the server's own test: dimensions are text, -1 where unknown.
    tensor = signatures[contract.SERVING_DEFAULT][side][name]
    assert tensor["dtype"] == dtype
    assert tensor["tensor_shape"] == {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False}
    assert isinstance(tensor["name"], str)
    assert tensor["name"]


def test_second_signature(signatures):
    # A pushed model takes serialized Examples, too.
    signature = signatures[contract.SERVE_EXAMPLES]
    assert set(signature["inputs"]) == {contract.EXAMPLES}
    assert signature["inputs"][contract.EXAMPLES]["dtype"] == "DT_STRING"


def test_of_a_version(rest, version):
    # api_rest.md: "GET .../v1/models/${MODEL_NAME}[/versions/${VERSION}]/metadata"
    assert response_of(rest.get(f"/versions/{version}/metadata")) == response_of(
        rest.get("/metadata")
    )


def test_unknown_model(rest):
    # basic_manager.cc: NotFound("Servable not found for request: ", ...)
    error_of(rest.get("/metadata", model="nope"), 404)


def test_unknown_version(rest):
    error_of(rest.get("/versions/999999999/metadata"), 404)


def test_unknown_label(rest):
    # server_core.cc: InvalidArgument("Unrecognised servable version label: ", label)
    error_of(rest.get("/labels/nope/metadata"), 400)


@pytest.mark.parametrize("path", ["/metadata/", "/metadatas", "/metadata/signature_def"])
def test_malformed_path(rest, path):
    # http_rest_api_util.cc: kModelStatusApiRegex ends after "/metadata".
    error_of(rest.get(path), 400)


def test_post(rest):
    # http_rest_api_handler_test.cc, UnsupportedApiCalls: POST .../metadata is "Malformed request".
    error_of(rest.post({}, "/metadata"), 400)


class TestGrpc:
    """prediction_service.proto, GetModelMetadata: the same over gRPC."""

    def request(self, rpc, *fields: str) -> get_model_metadata_pb2.GetModelMetadataRequest:
        return get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=rpc.spec(), metadata_field=fields
        )

    def test_signatures(self, rpc, version, signatures):
        # get_model_metadata.proto: "Map of metadata field name to metadata field. The options for
        # metadata field name are listed in GetModelMetadataRequest."
        response = rpc.prediction.GetModelMetadata(self.request(rpc, "signature_def"))
        assert response.model_spec.name == rpc.model
        assert response.model_spec.version.value == version
        assert list(response.metadata) == ["signature_def"]
        found = get_model_metadata_pb2.SignatureDefMap()
        assert response.metadata["signature_def"].Unpack(found)
        assert set(found.signature_def) == set(signatures)
        inputs = found.signature_def[contract.SERVING_DEFAULT].inputs
        assert inputs[contract.IMAGE_BYTES].dtype == tf.string.as_datatype_enum

    def test_of_a_version(self, rpc, version):
        request = self.request(rpc, "signature_def")
        request.model_spec.version.value = version
        assert rpc.prediction.GetModelMetadata(request).model_spec.version.value == version

    def test_unknown_field(self, rpc):
        # get_model_metadata.proto: "Currently supported: signature_def"; the message has "%s" in
        # it in get_model_metadata_impl.cc.
        request = self.request(rpc, "size")
        code = grpc.StatusCode.INVALID_ARGUMENT
        refused(rpc.prediction.GetModelMetadata, request, code)

    def test_unknown_field_beside_a_known_one(self, rpc):
        request = self.request(rpc, "signature_def", "size")
        code = grpc.StatusCode.INVALID_ARGUMENT
        refused(rpc.prediction.GetModelMetadata, request, code)

    def test_no_field(self, rpc):
        code = grpc.StatusCode.INVALID_ARGUMENT
        refused(rpc.prediction.GetModelMetadata, self.request(rpc), code)

    def test_no_model(self, rpc):
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        code = grpc.StatusCode.INVALID_ARGUMENT
        refused(rpc.prediction.GetModelMetadata, request, code)

    def test_unknown_model(self, rpc):
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=model_pb2.ModelSpec(name="nope"), metadata_field=["signature_def"]
        )
        refused(rpc.prediction.GetModelMetadata, request, grpc.StatusCode.NOT_FOUND)

    def test_unknown_version(self, rpc):
        request = self.request(rpc, "signature_def")
        request.model_spec.version.value = 999_999_999
        refused(rpc.prediction.GetModelMetadata, request, grpc.StatusCode.NOT_FOUND)
