from pathlib import Path

import pytest

from serving.tensorflow_serving import kubernetes, model_server
from serving.tensorflow_serving.settings import (
    AccessMode,
    DeploymentSettings,
    Ssl,
    Verification,
)
from serving.versions.signature import VERIFY_KEY
from tests.serving.tensorflow_serving.manifests import changed, kubernetes_problem, of_kind

SETTINGS = DeploymentSettings(ssl=Ssl(), storage_class="shared", drain_seconds=20)
ONE_NODE = DeploymentSettings(access_mode=AccessMode.READ_WRITE_ONCE)
OF_OTHERS = DeploymentSettings(
    claim="models",
    client_namespaces=(),
    monitoring_namespaces=(),
    image_digest=f"sha256:{'a' * 64}",
)
CONTAINER = "spec.template.spec.containers.0"


@pytest.fixture
def manifests(served):
    contents = model_server.files(served, SETTINGS)
    return kubernetes.resources(served, SETTINGS, contents=contents)


def services(manifests):
    return [manifest for manifest in manifests if manifest["kind"] == "Service"]


@pytest.fixture
def pod(manifests):
    return of_kind(manifests, "Deployment")["spec"]["template"]["spec"]


@pytest.mark.parametrize(
    ("settings", "count"), [(SETTINGS, 9), (DeploymentSettings(), 9), (ONE_NODE, 8), (OF_OTHERS, 8)]
)
def test_every_manifest_is_one_of_kubernetes(served, settings, count):
    manifests = kubernetes.resources(served, settings, contents={"models.config": "x"})
    manifests += kubernetes.loader(served, settings)
    assert [kubernetes_problem(manifest) for manifest in manifests] == [None] * count


@pytest.mark.parametrize(
    ("kind", "path", "value", "named"),
    [
        ("ConfigMap", "data.models", 3, "data.models: 3 is not of type"),
        ("PersistentVolumeClaim", "spec.accessMode", [], "'accessMode' was unexpected"),
        ("Deployment", f"{CONTAINER}.livenessProb", {}, "'livenessProb' was unexpected"),
        ("Deployment", f"{CONTAINER}.ports.0.containerPort", "grpc", "'grpc' is not of type"),
        ("Deployment", "spec.template.spec.securityContext.runAsNonRoot", "yes", "'yes' is not"),
        ("Service", "spec.ports.0.prot", 1, "'prot' was unexpected"),
        ("HorizontalPodAutoscaler", "spec.maxReplicas", "ten", "'ten' is not of type"),
        ("PodDisruptionBudget", "spec.maxUnavailabel", 1, "'maxUnavailabel' was unexpected"),
        ("NetworkPolicy", "spec.egress", {}, "spec.egress: {} is not of type"),
    ],
)
def test_a_damaged_manifest_is_none(manifests, kind, path, value, named):
    first = next(manifest for manifest in manifests if manifest["kind"] == kind)
    assert named in kubernetes_problem(changed(first, path, value))


def test_what_selects_the_pods_is_what_they_are_labelled_with(manifests):
    labels = of_kind(manifests, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert labels
    assert of_kind(manifests, "Deployment")["spec"]["selector"]["matchLabels"] == labels
    assert [each["spec"]["selector"] for each in services(manifests)] == [labels] * 2
    assert of_kind(manifests, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    assert of_kind(manifests, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == labels


def test_the_service_leads_to_both_ports(manifests, pod):
    (container,) = pod["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"grpc": 8500, "rest": 8501}
    service, headless = services(manifests)
    assert {port["port"]: ports[port["targetPort"]] for port in service["spec"]["ports"]} == {
        8500: 8500,
        8501: 8501,
    }
    assert headless["spec"]["clusterIP"] == "None"  # each server's address, for gRPC
    assert [port["port"] for port in headless["spec"]["ports"]] == [8500]


def from_namespace(name):
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def test_an_ingress_and_prometheus_reach_the_servers_from_their_namespaces(served):
    settings = DeploymentSettings(client_namespaces=("edge", "apps"))
    policy = of_kind(kubernetes.resources(served, settings, contents={}), "NetworkPolicy")["spec"]
    clients, monitoring = policy["ingress"]
    assert clients["from"] == [{"podSelector": {}}, from_namespace("edge"), from_namespace("apps")]
    assert [port["port"] for port in clients["ports"]] == [8500, 8501]
    assert monitoring["from"] == [from_namespace("monitoring")]
    assert [port["port"] for port in monitoring["ports"]] == [8501]
    assert policy["egress"] == []


def test_no_namespace_is_not_every_namespace(served):
    policy = of_kind(kubernetes.resources(served, OF_OTHERS, contents={}), "NetworkPolicy")["spec"]
    assert [rule["from"] for rule in policy["ingress"]] == [[{"podSelector": {}}]]


def test_a_claim_for_one_node_keeps_its_pods_together(served):
    manifests = kubernetes.resources(served, ONE_NODE, contents={})
    assert of_kind(manifests, "PersistentVolumeClaim")["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert "PodDisruptionBudget" not in [manifest["kind"] for manifest in manifests]
    servers = of_kind(manifests, "Deployment")["spec"]["template"]
    (loader,) = kubernetes.loader(served, ONE_NODE)
    for pod in (servers, loader):
        (term,) = pod["spec"]["affinity"]["podAffinity"][
            "requiredDuringSchedulingIgnoredDuringExecution"
        ]
        for other in (servers, loader):
            wanted = term["labelSelector"]["matchLabels"].items()
            assert wanted <= other["metadata"]["labels"].items()
        assert "topologySpreadConstraints" not in pod["spec"]


def test_an_existing_claim_is_used_and_none_is_made(served):
    manifests = kubernetes.resources(served, OF_OTHERS, contents={})
    assert "PersistentVolumeClaim" not in [manifest["kind"] for manifest in manifests]
    pods = [
        of_kind(manifests, "Deployment")["spec"]["template"]["spec"],
        kubernetes.loader(served, OF_OTHERS)[0]["spec"],
    ]
    claims = [
        volume["persistentVolumeClaim"]
        for pod in pods
        for volume in pod["volumes"]
        if "persistentVolumeClaim" in volume
    ]
    assert claims == [{"claimName": "models", "readOnly": True}, {"claimName": "models"}]


def test_versions_are_copied_through_a_pod_that_serves_nothing(served, manifests):
    (loader,) = kubernetes.loader(served, SETTINGS)
    selected = services(manifests)[0]["spec"]["selector"].items()
    assert not selected <= loader["metadata"]["labels"].items()
    (container,) = loader["spec"]["containers"]
    assert container["volumeMounts"] == [{"name": "models", "mountPath": "/models"}]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert loader["spec"]["automountServiceAccountToken"] is False
    assert loader["spec"]["activeDeadlineSeconds"] == 3600


def test_the_image_is_pulled_by_its_digest(served):
    manifests = kubernetes.resources(served, OF_OTHERS, contents={})
    (container,) = of_kind(manifests, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"tensorflow/serving:2.19.1@sha256:{'a' * 64}"


def test_every_file_that_the_flags_name_is_mounted(manifests, pod):
    (container,) = pod["containers"]
    files = {
        flag.split("=")[1].rsplit("/", 1)[1]: flag.split("=")[1].rsplit("/", 1)[0]
        for flag in container["args"]
        if ".config" in flag
    }
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert set(mounts.values()) == set(volumes)
    (ssl_folder,) = {files.pop("ssl.config")}
    assert volumes[mounts[ssl_folder]]["secret"]["secretName"] == "chest-xray-ssl"
    config_map = of_kind(manifests, "ConfigMap")
    assert set(files) == set(config_map["data"])
    for folder in files.values():
        assert volumes[mounts[folder]]["configMap"]["name"] == config_map["metadata"]["name"]
    claim = volumes[mounts["/models"]]["persistentVolumeClaim"]["claimName"]
    assert claim == of_kind(manifests, "PersistentVolumeClaim")["metadata"]["name"]


def test_no_key_is_in_the_manifests(served):
    settings = DeploymentSettings()
    pod = of_kind(kubernetes.resources(served, settings, contents={}), "Deployment")
    assert "ssl" not in str(pod)


def test_the_pod_meets_the_restricted_standard(pod):
    (container,) = pod["containers"]
    security = container["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] == 1000
    assert security["allowPrivilegeEscalation"] is False
    assert security["readOnlyRootFilesystem"] is True
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False


def test_a_server_gets_requests_only_with_its_stable_version(pod):
    (container,) = pod["containers"]
    ready = "/v1/models/chest_xray/labels/stable/metadata"
    paths = {
        name: container[name]["httpGet"]["path"] for name in ("startupProbe", "readinessProbe")
    }
    assert paths == {"startupProbe": ready, "readinessProbe": ready}
    # Requests may hold every thread of the server, and then no probe gets a response.
    assert "httpGet" not in container["livenessProbe"]
    assert container["livenessProbe"]["tcpSocket"] == {"port": "rest"}


def test_a_server_that_stops_has_the_time_to_drain(pod):
    (container,) = pod["containers"]
    assert container["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", "20"]
    assert pod["terminationGracePeriodSeconds"] > 20
    assert pod["shareProcessNamespace"] is True


def test_the_autoscaler_alone_sets_the_number_of_servers(manifests):
    deployment = of_kind(manifests, "Deployment")
    assert "replicas" not in deployment["spec"]
    scaled = of_kind(manifests, "HorizontalPodAutoscaler")["spec"]
    assert scaled["scaleTargetRef"] == {
        "apiVersion": deployment["apiVersion"],
        "kind": "Deployment",
        "name": deployment["metadata"]["name"],
    }
    assert (scaled["minReplicas"], scaled["maxReplicas"]) == (2, 10)
    assert "requests" in deployment["spec"]["template"]["spec"]["containers"][0]["resources"]


def test_another_configuration_starts_other_servers(served):
    annotations = [
        of_kind(kubernetes.resources(served, SETTINGS, contents={"a": text}), "Deployment")["spec"][
            "template"
        ]["metadata"]["annotations"]
        for text in ("1", "2")
    ]
    assert annotations[0] != annotations[1]


def test_versions_are_verified_before_a_server_starts(served):
    settings = DeploymentSettings(verification=Verification("cxr:1", Path("public.pem")))
    manifests = kubernetes.resources(served, settings, contents={"models.config": "x"})
    assert [kubernetes_problem(manifest) for manifest in manifests] == [None] * len(manifests)
    spec = of_kind(manifests, "Deployment")["spec"]["template"]["spec"]
    (verifier,) = spec["initContainers"]
    assert verifier["args"] == ["cxr", "verify", f"/models/{served.name}"]
    assert verifier["env"] == [
        {"name": VERIFY_KEY, "value": "/etc/tensorflow_serving/verify-key.pem"}
    ]
    mounted = {mount["name"]: mount.get("readOnly") for mount in verifier["volumeMounts"]}
    assert mounted == {"models": True, "configuration": True, "temporary": None}


def test_without_a_key_nothing_is_verified(pod):
    assert "initContainers" not in pod
