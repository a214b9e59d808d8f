"""What is sent to Vertex AI, received by a server that reads it with the official protos."""

import hashlib
import json
import re
from functools import partial

import pytest
import tensorflow as tf
from google.cloud import aiplatform, aiplatform_v1
from google.protobuf import json_format
from tfx.types import standard_artifacts

from components.google_cloud.endpoint import DEPLOYED, ENDPOINT, Endpoint
from components.pusher import PUSHED, PUSHED_DESTINATION, PUSHED_VERSION, REASON
from serving.versions import pushed
from tests.google_account import log_in
from tests.object_store import new_place
from tests.pipeline.cluster.submission import loopback
from transform_module.errors import UserError
from transform_module.files import remote

PARENT = "projects/project-1/locations/us-central1"
ENDPOINT_NAME = f"{PARENT}/endpoints/1"
SETTINGS = {
    "project": "project-1",
    "service_account": "cxr@project-1.example",
    "endpoint": {
        "name": "x-rays",
        "machine": "n1-standard-8",
        "accelerator": "NVIDIA_TESLA_T4",
        "accelerators": 2,
        "min_replicas": 2,
        "max_replicas": 5,
    },
}


class Vertex:
    """The part of the service that is used, with its endpoint."""

    def __init__(self):
        self.endpoint = None

    def __call__(self, server, method, path, query, body):
        if path == "/token":
            return {"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}
        name = re.sub(r"^/v1(beta1)?/", "", path)
        match method, name.removeprefix(f"{PARENT}/"):
            case "GET", "endpoints":
                assert query["filter"] == 'display_name="x-rays"'
                return {"endpoints": [self.endpoint] if self.endpoint else []}
            case "POST", "endpoints":
                parsed(aiplatform_v1.Endpoint, body)
                self.endpoint = {**body, "name": ENDPOINT_NAME}
                return done("CreateEndpointOperationMetadata", "Endpoint", self.endpoint)
            case "GET", "endpoints/1":
                return self.endpoint
            case "POST", "models:upload":
                parsed(aiplatform_v1.UploadModelRequest, body)
                kinds = ["DEDICATED_RESOURCES"]
                self.model = {
                    **body["model"],
                    "name": f"{PARENT}/models/7",
                    "supportedDeploymentResourcesTypes": kinds,
                }
                made = {"model": self.model["name"], "modelVersionId": "1"}
                return done("UploadModelOperationMetadata", "UploadModelResponse", made)
            case "GET", "models/7%401":
                return self.model
            case "POST", "endpoints/1:deployModel":
                parsed(aiplatform_v1.DeployModelRequest, body)
                models = self.endpoint.setdefault("deployedModels", [])
                number = str(len(models) + 100)
                models.append({**body["deployedModel"], "id": number})
                split = {number if key == "0" else key: each for key, each in split_of(body)}
                self.endpoint["trafficSplit"] = split
                made = {"deployedModel": models[-1]}
                return done("DeployModelOperationMetadata", "DeployModelResponse", made)
            case "POST", "endpoints/1:undeployModel":
                parsed(aiplatform_v1.UndeployModelRequest, body)
                gone = body["deployedModelId"]
                kept = [each for each in self.endpoint["deployedModels"] if each["id"] != gone]
                self.endpoint["deployedModels"] = kept
                return done("UndeployModelOperationMetadata", "UndeployModelResponse", {})
        raise loopback.Refused(f"unknown: {method} {path}")


def split_of(body):
    return body.get("trafficSplit", {}).items()


def parsed(kind, body):
    try:
        json_format.ParseDict(body, kind.pb()())
    except json_format.ParseError as error:
        raise loopback.Refused(str(error)) from None


def done(metadata, kind, content):
    package = "type.googleapis.com/google.cloud.aiplatform.v1"
    return {
        "name": f"{PARENT}/operations/1",
        "done": True,
        "metadata": {"@type": f"{package}.{metadata}"},
        "response": {"@type": f"{package}.{kind}", **content},
    }


@pytest.fixture
def server(monkeypatch, tmp_path):
    with loopback.serving(Vertex()) as server:
        log_in(monkeypatch, tmp_path, server.url)
        # The service's address is the region's.
        aiplatform.initializer.global_config.__init__()
        init = partial(aiplatform.init, api_endpoint=server.url)
        monkeypatch.setattr(aiplatform, "init", init)
        yield server
        # The client keeps project, address and credentials for the process.
        aiplatform.initializer.global_config.__init__()


BUCKET = "gs://bucket"


@pytest.fixture
def bucket(monkeypatch):
    """What stands for the bucket: the service takes no other address than a bucket's."""
    place = new_place()
    copy, files = remote.copy, remote.files

    def near(address):
        return address.replace(BUCKET, place)

    monkeypatch.setattr(
        remote, "copy", lambda source, target, names: copy(near(source), near(target), names)
    )
    monkeypatch.setattr(remote, "files", lambda folder: files(near(folder)))
    return place


def write_version(bucket, version):
    """Pushes a version; what others put beside it is not part of it."""
    folder = f"{bucket}/pushed/chest_xray/{version}"
    if tf.io.gfile.exists(folder):  # written over, a file in memory keeps what it had
        return folder
    tf.io.gfile.makedirs(folder)
    files = {"saved_model.pb": hashlib.sha256(b"graph").hexdigest()}
    manifest = json.dumps({"name": "chest_xray", "version": int(version), "files": files})
    contents = {"saved_model.pb": "graph", pushed.MANIFEST: manifest, "note.txt": "hello"}
    for name, content in contents.items():
        with tf.io.gfile.GFile(f"{folder}/{name}", "w") as file:
            file.write(content)
    return folder


@pytest.fixture
def serve(server, bucket):
    def serve(version="17", traffic=100, *, is_pushed=True, damage=""):
        model, served = standard_artifacts.PushedModel(), standard_artifacts.PushedModel()
        served.uri = f"{BUCKET}/served"
        folder = write_version(bucket, version)
        if damage:
            with tf.io.gfile.GFile(f"{folder}/{damage}", "w") as file:
                file.write("{")
        model.set_int_custom_property(PUSHED, int(is_pushed))
        model.set_string_custom_property(REASON, "" if is_pushed else "its model_blessing says no")
        model.set_string_custom_property(PUSHED_VERSION, version)
        model.set_string_custom_property(PUSHED_DESTINATION, folder.replace(bucket, BUCKET))
        settings = {**SETTINGS, "endpoint": {**SETTINGS["endpoint"], "traffic": traffic}}
        Endpoint.test_call(
            pushed_model=model,
            served_model=served,
            google_cloud=json.dumps(settings),
            model_name="chest_xray",
        )
        return served

    return serve


def test_the_first_model_makes_the_endpoint_and_gets_all_requests(server, serve):
    served = serve(traffic=20)
    assert served.get_int_custom_property(DEPLOYED) == 1
    assert served.get_string_custom_property(ENDPOINT) == ENDPOINT_NAME
    assert remote.files(f"{BUCKET}/served/17") == [pushed.MANIFEST, "saved_model.pb"]
    (made,) = server.bodies("POST /v1/" + PARENT + "/endpoints")[:1]
    assert made["displayName"] == "x-rays"
    (uploaded,) = server.bodies("models:upload")
    model = uploaded["model"]
    assert model["displayName"] == "chest_xray-17"
    assert model["artifactUri"] == f"{BUCKET}/served"
    assert model["containerSpec"] == {
        "imageUri": "tensorflow/serving:2.19.1",
        "command": ["/usr/bin/tensorflow_model_server"],
        "args": [
            "--rest_api_port=8501",
            "--model_name=chest_xray",
            "--model_base_path=$(AIP_STORAGE_URI)",
        ],
        "ports": [{"containerPort": 8501}],
        "predictRoute": "/v1/models/chest_xray:predict",
        "healthRoute": "/v1/models/chest_xray",
    }
    (deployed,) = server.bodies(":deployModel")
    assert deployed["trafficSplit"] == {"0": 100}
    model = deployed["deployedModel"]
    assert model["displayName"] == "chest_xray-17"
    assert model["serviceAccount"] == "cxr@project-1.example"
    assert model["dedicatedResources"]["machineSpec"] == {
        "machineType": "n1-standard-8",
        "acceleratorType": aiplatform_v1.AcceleratorType.NVIDIA_TESLA_T4,
        "acceleratorCount": 2,
    }
    assert model["dedicatedResources"]["minReplicaCount"] == 2
    assert model["dedicatedResources"]["maxReplicaCount"] == 5


@pytest.mark.parametrize("damage", ["saved_model.pb", pushed.MANIFEST])
def test_a_damaged_version_is_not_deployed(server, serve, damage):
    said = f"{BUCKET}/pushed/chest_xray/17/{damage}: .* is not deployed"
    with pytest.raises(UserError, match=said):
        serve(damage=damage)
    assert not server.bodies("models:upload")
    assert remote.files(f"{BUCKET}/served") == []


def test_the_next_one_gets_its_share_of_them(server, serve):
    serve("17")
    serve("18", traffic=20)
    assert server.bodies(":deployModel")[1]["trafficSplit"] == {"100": 80, "0": 20}
    assert not server.bodies(":undeployModel")


def test_one_that_gets_all_takes_the_former_ones_place(server, serve):
    serve("17")
    serve("18")
    assert server.bodies(":deployModel")[1]["trafficSplit"] == {"0": 100}
    (undeployed,) = server.bodies(":undeployModel")
    assert undeployed["deployedModelId"] == "100"


def test_a_task_that_runs_again_deploys_nothing_again(server, serve):
    serve("17")
    served = serve("17")
    assert served.get_string_custom_property(ENDPOINT) == ENDPOINT_NAME
    assert len(server.bodies("models:upload")) == len(server.bodies(":deployModel")) == 1


def test_what_is_not_pushed_is_not_deployed(server, serve):
    served = serve(is_pushed=False)
    assert served.get_int_custom_property(DEPLOYED) == 0
    assert served.get_string_custom_property(REASON) == "its model_blessing says no"
    assert server.requests == []


@pytest.mark.parametrize("status", [401, 403, 404, 429])
def test_a_refusal_is_reported_with_what_to_do(server, serve, status):
    server.faults = {"models:upload": [status] * 20}
    with pytest.raises(UserError, match=rf"(?s)Vertex AI .*fault {status}.*roles/aiplatform.user"):
        serve()
