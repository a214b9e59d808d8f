"""No package carries KServe's schema without harm: `kserve` pins an older psutil.

So the schema stands here: KServe's own fields as release 0.21 has them, and for the pod and the
container that its predictor contains, the schemas of Kubernetes.
"""

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from serving.tensorflow_serving import kserve, model_server
from serving.tensorflow_serving.settings import DeploymentSettings, Ssl
from tests.serving.tensorflow_serving import kubernetes_schema
from tests.serving.tensorflow_serving.manifests import (
    changed,
    kubernetes_problem,
    of_kind,
    schema_problem,
)

TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
TEXTS = {"type": "object", "additionalProperties": TEXT}
FRAMEWORKS = (
    "huggingface", "lightgbm", "onnx", "paddle", "pmml", "pytorch", "sklearn", "tensorflow",
    "triton", "xgboost",
)  # fmt: skip


def closed(properties, required=()):
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def schema():
    kubernetes = kubernetes_schema.definitions()
    container = kubernetes["V1Container"]["properties"]
    model = closed(
        {
            **container,
            "modelFormat": closed({"name": TEXT, "version": TEXT}, ["name"]),
            "protocolVersion": {"enum": ["v1", "v2", "grpc-v1", "grpc-v2"]},
            "runtime": TEXT,
            "runtimeVersion": TEXT,
            "storageUri": TEXT,
            "storage": {"type": "object"},
            "confidential": {"type": "object"},
        },
        ["modelFormat"],
    )
    predictor = closed(
        {
            **kubernetes["V1PodSpec"]["properties"],
            **{name: {"type": "object"} for name in FRAMEWORKS},
            "model": model,
            "annotations": TEXTS,
            "labels": TEXTS,
            "minReplicas": WHOLE,
            "maxReplicas": WHOLE,
            "scaleTarget": WHOLE,
            "scaleMetric": {"enum": ["cpu", "memory", "concurrency", "rps"]},
            "scaleMetricType": {"enum": ["Utilization", "AverageValue", "Value"]},
            "containerConcurrency": WHOLE,
            "canaryTrafficPercent": WHOLE,
            "timeout": WHOLE,
            "name": TEXT,
            "storageContainerName": TEXT,
            "storageUris": {"type": "array"},
            "autoScaling": {"type": "object"},
            "batcher": {"type": "object"},
            "deploymentStrategy": {"type": "object"},
            "logger": {"type": "object"},
            "workerSpec": {"type": "object"},
        }
    )
    spec = {
        "predictor": predictor,
        "transformer": {"type": "object"},
        "explainer": {"type": "object"},
        "tracing": {"type": "object"},
        "canary": {"type": "array"},
    }
    service = closed(
        {
            "apiVersion": {"const": "serving.kserve.io/v1beta1"},
            "kind": {"const": "InferenceService"},
            "metadata": closed({"name": TEXT, "annotations": TEXTS, "labels": TEXTS}, ["name"]),
            "spec": closed(spec, ["predictor"]),
        },
        ["apiVersion", "kind", "metadata", "spec"],
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": kubernetes,
    } | service


@pytest.fixture
def manifests(served):
    settings = DeploymentSettings()
    return kserve.resources(served, settings, contents=model_server.files(served, settings))


@pytest.fixture
def service(manifests):
    return of_kind(manifests, "InferenceService")


def test_it_is_an_inference_service_with_its_configuration(manifests, service):
    assert schema_problem(schema(), service) is None
    assert kubernetes_problem(of_kind(manifests, "ConfigMap")) is None
    assert len(manifests) == 2


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("spec.predictor.model.modelFormatt", {}, "'modelFormatt' was unexpected"),
        ("spec.predictor.model.storageUri", 3, "3 is not of type 'string'"),
        ("spec.predictor.model.modelFormat", {"version": "2"}, "'name' is a required property"),
        ("spec.predictor.minReplicas", "two", "'two' is not of type 'integer'"),
        ("spec.predictor.model.volumeMounts.0.path", "/", "'path' was unexpected"),
        ("spec.predictor.volumes.0.configMap.names", "x", "'names' was unexpected"),
        ("spec.predictor.model.securityContext.runAsNonRoot", 1, "1 is not of type"),
        ("apiVersion", "serving.kserve.io/v1", "'serving.kserve.io/v1beta1' was expected"),
    ],
)
def test_a_damaged_service_is_none(service, path, value, named):
    assert named in schema_problem(schema(), changed(service, path, value))


def test_the_model_is_fetched_from_the_claim_unless_another_place_is_named(service, served):
    model = service["spec"]["predictor"]["model"]
    assert model["modelFormat"] == {"name": "tensorflow"}
    assert model["storageUri"] == "pvc://chest-xray-models/chest_xray"
    settings = DeploymentSettings(storage_uri="gs://bucket/chest_xray")
    other = of_kind(kserve.resources(served, settings, contents={}), "InferenceService")
    assert other["spec"]["predictor"]["model"]["storageUri"] == "gs://bucket/chest_xray"


def test_a_canary_gets_its_share_of_the_requests(served):
    settings = DeploymentSettings(stable=10, canary_traffic_percent=10)
    service = of_kind(kserve.resources(served, settings, contents={}), "InferenceService")
    assert schema_problem(schema(), service) is None
    assert service["spec"]["predictor"]["canaryTrafficPercent"] == 10


def test_all_requests_go_to_what_is_not_a_canary(service):
    assert "canaryTrafficPercent" not in service["spec"]["predictor"]


def test_the_model_comes_from_a_claim_that_exists(served):
    settings = DeploymentSettings(claim="models")
    service = of_kind(kserve.resources(served, settings, contents={}), "InferenceService")
    assert service["spec"]["predictor"]["model"]["storageUri"] == "pvc://models/chest_xray"


def test_the_server_finds_the_labelled_versions_where_kserve_puts_them(manifests, service):
    data = of_kind(manifests, "ConfigMap")["data"]
    config = text_format.Parse(data["models.config"], model_server_config_pb2.ModelServerConfig())
    (entry,) = config.model_config_list.config
    assert entry.base_path == "/mnt/models"
    assert entry.name == service["metadata"]["name"]
    assert dict(entry.version_labels) == {"stable": 7, "canary": 10}


def test_every_file_that_the_flags_name_is_mounted(manifests, service):
    predictor = service["spec"]["predictor"]
    (mount,) = predictor["model"]["volumeMounts"]
    (volume,) = predictor["volumes"]
    config_map = of_kind(manifests, "ConfigMap")
    assert mount["name"] == volume["name"]
    assert volume["configMap"]["name"] == config_map["metadata"]["name"]
    named = {flag.split("=")[1] for flag in predictor["model"]["args"] if ".config" in flag}
    assert named == {f"{mount['mountPath']}/{name}" for name in config_map["data"]}


def test_the_ports_are_left_to_kserve(served):
    settings = DeploymentSettings(ssl=Ssl())
    (_, service) = kserve.resources(served, settings, contents={})
    names = [flag.split("=")[0] for flag in service["spec"]["predictor"]["model"]["args"]]
    assert not {"--port", "--rest_api_port", "--ssl_config_file"} & set(names)
