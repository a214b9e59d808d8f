"""The configuration, changed while the server runs: policies, labels, models.

Sources: model_service.proto, HandleReloadConfigRequest; model_management.proto;
model_server_config.proto; serving_config.md, "Reloading Model Server Configuration", "Serving
Multiple Versions of a Model" and "Assigning String Labels to Model Versions"; server_core.cc and
model_service_impl.cc for codes and messages.
"""

import time
from collections.abc import Callable

import grpc
import pytest
from tensorflow_serving.apis import get_model_status_pb2, model_management_pb2

from tests.conformance.clients import TIMEOUT, answer_of, b64, error_of, refused, strings
from tests.conformance.models import OLDER_VERSION, VERSION
from tests.conformance.pictures import WHOLE
from transform_module import features

INVALID = grpc.StatusCode.INVALID_ARGUMENT
WAIT_SECONDS = 60
WHITE = {"instances": [b64(WHOLE["white"])]}


def config(
    name: str,
    base_path: str,
    *,
    versions: tuple[int, ...] = (),
    labels: dict[str, int] | None = None,
    platform: str = "tensorflow",
) -> model_management_pb2.ReloadConfigRequest:
    """A configuration of one model."""
    request = model_management_pb2.ReloadConfigRequest()
    one = request.config.model_config_list.config.add(
        name=name, base_path=base_path, model_platform=platform
    )
    if versions:
        one.model_version_policy.specific.versions.extend(versions)
    for label, version in (labels or {}).items():
        one.version_labels[label] = version
    return request


def reload(rpc, request: model_management_pb2.ReloadConfigRequest) -> None:
    answer = rpc.models.HandleReloadConfigRequest(request, timeout=TIMEOUT)
    # model_management.proto: ReloadConfigResponse has a StatusProto.
    assert (answer.status.error_code, answer.status.error_message) == (0, "")


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not so after {WAIT_SECONDS} s"
        time.sleep(0.1)


def available(rest) -> set[int]:
    response = rest.get()
    if response.status_code == 404:
        return set()
    states = answer_of(response)["model_version_status"]
    return {int(one["version"]) for one in states if one["state"] == "AVAILABLE"}


@pytest.fixture
def base_path(server, rest, rpc, version):
    """The model's folder; the configuration is as before after the case."""
    if server.base_path is None:
        pytest.skip("the model's folder on the server was not given (--base-path)")
    yield server.base_path
    reload(rpc, config(server.model, server.base_path))
    wait_until(lambda: available(rest) == {version})


class TestRefused:
    """A configuration that is refused changes nothing."""

    @pytest.fixture(autouse=True)
    def _unchanged(self, rest):
        before = available(rest)
        yield
        assert available(rest) == before

    def refuse(self, rpc, request, code, *parts: str) -> None:
        refused(rpc.models.HandleReloadConfigRequest, request, code, *parts)

    def test_empty(self, rpc):
        # model_service_impl.cc: "Only ModelConfigList is currently supported"
        request = model_management_pb2.ReloadConfigRequest()
        self.refuse(rpc, request, INVALID, "Only ModelConfigList is currently supported")

    def test_custom(self, rpc):
        request = model_management_pb2.ReloadConfigRequest()
        request.config.custom_model_config.type_url = "type.googleapis.com/nope"
        self.refuse(rpc, request, INVALID, "Only ModelConfigList is currently supported")

    def test_model_twice(self, rpc):
        # server_core.cc, ValidateModelConfigList
        request = config("twice", "/nope")
        request.config.model_config_list.config.append(request.config.model_config_list.config[0])
        message = "Illegal to list model twice multiple times in config list"
        self.refuse(rpc, request, INVALID, message)

    @pytest.mark.parametrize("path", ["relative/folder", "./folder", ""])
    def test_relative_path(self, rpc, path):
        # server_core.cc: "Expected model ", name, " to have an absolute path or URI"
        message = f"Expected model {rpc.model} to have an absolute path or URI"
        self.refuse(rpc, config(rpc.model, path), INVALID, message)

    def test_other_platform(self, rpc, server):
        # server_core.cc, ValidateNoModelsChangePlatforms
        request = config(rpc.model, server.base_path or "/nope", platform="caffe")
        self.refuse(rpc, request, INVALID, "Illegal to change a model's platform", "caffe")

    def test_no_platform(self, rpc, server):
        # server_core.cc, GetPlatform
        request = config(rpc.model, server.base_path or "/nope", platform="")
        self.refuse(rpc, request, INVALID, "model_platform")

    @pytest.mark.parametrize("unknown", [999_999_999, OLDER_VERSION])
    def test_label_of_a_version_that_is_not_served(self, rpc, base_path, unknown):
        # serving_config.md: "labels can only be assigned to model versions that are already
        # loaded and available for serving"; server_core.cc, UpdateModelVersionLabelMap
        request = config(rpc.model, base_path, labels={"stable": unknown})
        message = f"Request to assign label to version {unknown} of model {rpc.model}"
        code = grpc.StatusCode.FAILED_PRECONDITION
        self.refuse(rpc, request, code, message, "not currently available for inference")


class TestSame:
    def test_is_accepted(self, rest, rpc, base_path, version):
        # model_service.proto: "Reloads the set of served models. The new config supersedes the
        # old one, so if a model is omitted from the new config it will be unloaded."
        reload(rpc, config(rpc.model, base_path))
        reload(rpc, config(rpc.model, base_path))
        assert version in available(rest)
        assert rpc.predict_images([WHOLE["grey"]]).model_spec.version.value == version


class TestLabel:
    """serving_config.md, "Assigning String Labels to Model Versions"."""

    @pytest.fixture
    def _stable(self, rpc, base_path, version):
        reload(rpc, config(rpc.model, base_path, labels={"stable": version}))

    @pytest.mark.usefixtures("_stable")
    def test_grpc(self, rpc, version):
        # model.proto: "Use the version associated with the given label."
        request = rpc.request({features.IMAGE_BYTES: strings([WHOLE["grey"]])})
        request.model_spec.version_label = "stable"
        assert rpc.predict(request).model_spec.version.value == version

    @pytest.mark.usefixtures("_stable")
    def test_rest(self, rest):
        labelled = answer_of(rest.post(WHITE, "/labels/stable:predict"))
        assert labelled == answer_of(rest.post(WHITE))

    @pytest.mark.usefixtures("_stable")
    def test_status(self, rest, version):
        # http_rest_api_handler_test.cc, GetStatus: "using a version label"
        states = answer_of(rest.get("/labels/stable"))["model_version_status"]
        assert str(version) in [one["version"] for one in states]

    @pytest.mark.usefixtures("_stable")
    def test_metadata(self, rest, version):
        body = answer_of(rest.get("/labels/stable/metadata"))
        assert body["model_spec"]["version"] == str(version)

    @pytest.mark.usefixtures("_stable")
    def test_other_label_stays_unknown(self, rest):
        message = error_of(rest.post({"instances": ["x"]}, "/labels/canary:predict"), 400)
        assert message == "Unrecognized servable version label: canary"

    @pytest.mark.usefixtures("_stable")
    def test_is_taken_away(self, rest, rpc, base_path):
        reload(rpc, config(rpc.model, base_path))
        message = error_of(rest.post({"instances": ["x"]}, "/labels/stable:predict"), 400)
        assert message == "Unrecognized servable version label: stable"


@pytest.mark.embedded("needs the two versions of the tests' model")
class TestPolicy:
    """serving_config.md, "Serving a Specific Version" and "Serving Multiple Versions"."""

    def probability(self, rest, path: str = ":predict") -> float:
        return answer_of(rest.post(WHITE, path))["predictions"][0][features.PROBABILITY]

    def serve(self, rest, rpc, base_path, *versions: int) -> None:
        reload(rpc, config(rpc.model, base_path, versions=versions))
        wait_until(lambda: available(rest) == set(versions))

    def test_two_versions(self, rest, rpc, base_path):
        self.serve(rest, rpc, base_path, OLDER_VERSION, VERSION)
        assert self.probability(rest) == 1.0  # the latest
        assert self.probability(rest, f"/versions/{VERSION}:predict") == 1.0
        assert self.probability(rest, f"/versions/{OLDER_VERSION}:predict") == 0.5

    def test_older_version(self, rest, rpc, base_path):
        # "useful for rolling back to a know good version"
        self.serve(rest, rpc, base_path, OLDER_VERSION)
        assert self.probability(rest) == 0.5
        message = error_of(rest.post(WHITE, f"/versions/{VERSION}:predict"), 404)
        assert message == f"Servable not found for request: Specific({rpc.model}, {VERSION})"

    def test_version_that_was_unloaded(self, rest, rpc, base_path):
        # get_model_status.proto: "END: The manager has unloaded this servable"
        self.serve(rest, rpc, base_path, OLDER_VERSION, VERSION)
        self.serve(rest, rpc, base_path, VERSION)
        end = get_model_status_pb2.ModelVersionStatus.END
        wait_until(lambda: self.states(rpc).get(OLDER_VERSION) == end)
        assert self.states(rpc)[VERSION] == get_model_status_pb2.ModelVersionStatus.AVAILABLE

    def states(self, rpc) -> dict[int, int]:
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=rpc.spec())
        answer = rpc.models.GetModelStatus(request, timeout=TIMEOUT)
        return {one.version: one.state for one in answer.model_version_status}

    def test_canary(self, rest, rpc, base_path):
        # "you are serving versions 42 and 43, and associating the label ..."
        both = (OLDER_VERSION, VERSION)
        self.serve(rest, rpc, base_path, *both)
        labels = {"stable": OLDER_VERSION, "canary": VERSION}
        reload(rpc, config(rpc.model, base_path, versions=both, labels=labels))
        assert self.probability(rest, "/labels/stable:predict") == 0.5
        assert self.probability(rest, "/labels/canary:predict") == 1.0
        labels = {"stable": VERSION, "canary": VERSION}
        reload(rpc, config(rpc.model, base_path, versions=both, labels=labels))
        assert self.probability(rest, "/labels/stable:predict") == 1.0

    def test_all(self, rest, rpc, base_path):
        # file_system_storage_path_source.proto: "All: Serve all versions found on disk."
        request = config(rpc.model, base_path)
        request.config.model_config_list.config[0].model_version_policy.all.SetInParent()
        reload(rpc, request)
        wait_until(lambda: available(rest) == {OLDER_VERSION, VERSION})

    def test_two_latest(self, rest, rpc, base_path):
        # file_system_storage_path_source.proto: "Number of latest versions to serve"
        request = config(rpc.model, base_path)
        request.config.model_config_list.config[0].model_version_policy.latest.num_versions = 2
        reload(rpc, request)
        wait_until(lambda: available(rest) == {OLDER_VERSION, VERSION})


@pytest.mark.embedded("takes the server's model away for a while")
class TestModels:
    """serving_config.md: "the server will load model B and unload model A"."""

    def test_second_model(self, rest, rpc, base_path):
        request = config(rpc.model, base_path)
        request.config.model_config_list.config.add(
            name="other", base_path=base_path, model_platform="tensorflow"
        )
        reload(rpc, request)  # returns when new models are available: server_core.cc
        assert answer_of(rest.post(WHITE, model="other")) == answer_of(rest.post(WHITE))
        reload(rpc, config(rpc.model, base_path))
        wait_until(lambda: rest.post(WHITE, model="other").status_code == 404)
        message = error_of(rest.post(WHITE, model="other"), 404)
        assert message == "Servable not found for request: Latest(other)"

    def test_first_model_is_unloaded(self, rest, rpc, base_path):
        reload(rpc, config("other", base_path))
        wait_until(lambda: not available(rest))
        message = error_of(rest.post({"instances": ["x"]}), 404)
        assert message == f"Servable not found for request: Latest({rpc.model})"
        assert answer_of(rest.get(model="other"))["model_version_status"]
