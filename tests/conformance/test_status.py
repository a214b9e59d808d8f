"""The state of a model's versions, over REST and gRPC.

Sources: api_rest.md, "Model status API"; get_model_status.proto; http_rest_api_util.cc (the paths'
regular expressions); get_model_status_impl.cc (codes and messages).
"""

import grpc
import pytest
from tensorflow_serving.apis import get_model_status_pb2, model_pb2

from tests.conformance.clients import error_of, refused, response_of

AVAILABLE = get_model_status_pb2.ModelVersionStatus.AVAILABLE


def expected(version: int) -> dict:
    # api_rest.md, "Make REST API calls to ModelServer": the version is text, as proto3's JSON has
    # 64-bit integers; fields with default values are printed.
    return {
        "version": str(version),
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }


def test_all_versions(rest, version):
    # api_rest.md: "If omitted status for all versions is returned in the response."
    body = response_of(rest.get())
    assert list(body) == ["model_version_status"]
    assert expected(version) in body["model_version_status"]


@pytest.mark.embedded("a running server may be set to serve older versions")
def test_only_the_latest_version_is_served(rest, version):
    # serving_config.md: "By default the server will serve the version with the largest version
    # number." The folder holds an older one, too.
    states = response_of(rest.get())["model_version_status"]
    assert [one for one in states if one["state"] == "AVAILABLE"] == [expected(version)]


def test_one_version(rest, version):
    # api_rest.md: "GET http://host:port/v1/models/${MODEL_NAME}[/versions/${MODEL_VERSION}]"
    body = response_of(rest.get(f"/versions/{version}"))
    assert body == {"model_version_status": [expected(version)]}


def test_unknown_model(rest):
    # get_model_status_impl.cc: NotFound("Could not find any versions of model ", name)
    error_of(rest.get(model="nope"), 404)


@pytest.mark.parametrize("unknown", [0, 999_999_999, 2**63 - 1])
def test_unknown_version(rest, unknown):
    # get_model_status_impl.cc: NotFound("Could not find version ", version, " of model ", name)
    error_of(rest.get(f"/versions/{unknown}"), 404)


@pytest.mark.parametrize(
    "path",
    [
        "/versions/one",
        "/versions/-1",
        "/versions/1.5",
        "/versions/",
        "/version/1",
        "/versions/1/labels/stable",
        "/",
        "/nope",
        ":predict",
        ":status",
    ],
)
def test_malformed_path(rest, path):
    # http_rest_api_util.cc, kModelStatusApiRegex: a version is digits; http_rest_api_handler.cc:
    # what does not match is InvalidArgument("Malformed request: ", method, " ", path).
    error_of(rest.get(path), 400)


def test_version_of_more_than_64_bits(rest):
    # http_rest_api_util.cc: InvalidArgument("Failed to convert version: ", text, " to numeric.").
    # ProcessRequest returns before it writes the body, so real servers may send an empty one.
    response = rest.get(f"/versions/{2**64}")
    assert response.status_code == 400
    assert response.text == "" or "Failed to convert version" in error_of(response, 400)


def test_no_model_name(rest):
    # http_rest_api_handler.cc: InvalidArgument("Missing model name in request.")
    error_of(rest.client.get("/v1/models"), 400)


@pytest.mark.parametrize("path", ["/v1/models/", "/v1/", "/v1/nope", "/v1/nope/chest_xray"])
def test_malformed_path_below_v1(rest, path):
    # http_rest_api_handler_test.cc, UnsupportedApiCalls: "GET /v1/foo" is "Malformed request".
    error_of(rest.client.get(path), 400)


@pytest.mark.parametrize("path", ["/v2/models/chest_xray", "/nope", "/v1"])
def test_path_outside_of_v1(rest, path):
    # http_rest_api_util.cc: the handler's paths are "(?i)/v1/.*"; evhttp_server.cc sends
    # HTTP_NOTFOUND to what no handler takes, in a form that is nowhere promised.
    response = rest.client.get(path)
    assert response.status_code == 404
    assert "model_version_status" not in response.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_method_that_is_not_taken(rest, method):
    # http_rest_api_handler.cc knows GET and POST; the rest is "Malformed request", no 405.
    path = f"/v1/models/{rest.model}"
    error_of(rest.client.request(method, path), 400)


def test_path_is_taken_in_any_case(rest, version):
    # http_rest_api_util.cc: kModelStatusApiRegex begins with "(?i)".
    body = response_of(rest.client.get(f"/V1/MODELS/{rest.model}/VERSIONS/{version}"))
    assert body == {"model_version_status": [expected(version)]}


def test_model_name_is_decoded(rest, version):
    # http_rest_api_util.cc, DecodeArg: the name is percent-decoded.
    name = f"%{ord(rest.model[0]):02X}{rest.model[1:]}"
    body = response_of(rest.get(f"/versions/{version}", model=name))
    assert body == {"model_version_status": [expected(version)]}


def test_unknown_label(rest, version):
    # get_model_status_impl.cc looks at the version alone, so that a label changes nothing.
    response = rest.get("/labels/nope")
    if response.status_code == 200:
        assert expected(version) in response_of(response)["model_version_status"]
    else:
        error_of(response, 400)


class TestGrpc:
    """model_service.proto, GetModelStatus: the same over gRPC."""

    def request(
        self, rpc, version: int | None = None
    ) -> get_model_status_pb2.GetModelStatusRequest:
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=rpc.spec())
        if version is not None:
            request.model_spec.version.value = version
        return request

    def test_all_versions(self, rpc, version):
        # get_model_status.proto: "If no version is specified, information about all versions of
        # the model will be returned."
        response = rpc.models.GetModelStatus(self.request(rpc))
        states = {one.version: one for one in response.model_version_status}
        assert states[version].state == AVAILABLE
        assert (states[version].status.error_code, states[version].status.error_message) == (0, "")

    def test_one_version(self, rpc, version):
        # get_model_status.proto: "If a version is specified in the request, only its status is
        # returned."
        response = rpc.models.GetModelStatus(self.request(rpc, version))
        assert [one.version for one in response.model_version_status] == [version]
        assert response.model_version_status[0].state == AVAILABLE

    def test_unknown_model(self, rpc):
        spec = model_pb2.ModelSpec(name="nope")
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=spec)
        refused(rpc.models.GetModelStatus, request, grpc.StatusCode.NOT_FOUND)

    def test_unknown_version(self, rpc):
        request = self.request(rpc, 999_999_999)
        refused(rpc.models.GetModelStatus, request, grpc.StatusCode.NOT_FOUND)

    def test_no_model(self, rpc):
        # get_model_status_impl.cc: InvalidArgument("Missing ModelSpec")
        request = get_model_status_pb2.GetModelStatusRequest()
        code = grpc.StatusCode.INVALID_ARGUMENT
        refused(rpc.models.GetModelStatus, request, code)

    def test_no_model_name(self, rpc):
        # get_model_status_impl.cc does not check the name: no model has none.
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=model_pb2.ModelSpec())
        refused(rpc.models.GetModelStatus, request, grpc.StatusCode.NOT_FOUND)
