import pytest

from serving.tensorflow_serving import kubernetes, model_server
from serving.tensorflow_serving.settings import DeploymentSettings, Ssl
from tests.serving.tensorflow_serving.manifests import changed, kubernetes_problem, of_kind

SETTINGS = DeploymentSettings(ssl=Ssl(), storage_class="shared", drain_seconds=20)
CONTAINER = "spec.template.spec.containers.0"


@pytest.fixture
def manifests(served):
    contents = model_server.files(served, SETTINGS)
    return kubernetes.resources(served, SETTINGS, contents=contents)


@pytest.fixture
def pod(manifests):
    return of_kind(manifests, "Deployment")["spec"]["template"]["spec"]


@pytest.mark.parametrize("settings", [SETTINGS, DeploymentSettings()])
def test_every_manifest_is_one_of_kubernetes(served, settings):
    manifests = kubernetes.resources(served, settings, contents={"models.config": "x"})
    assert [kubernetes_problem(manifest) for manifest in manifests] == [None] * 7


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
    assert named in kubernetes_problem(changed(of_kind(manifests, kind), path, value))


def test_what_selects_the_pods_is_what_they_are_labelled_with(manifests):
    labels = of_kind(manifests, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert labels
    assert of_kind(manifests, "Deployment")["spec"]["selector"]["matchLabels"] == labels
    assert of_kind(manifests, "Service")["spec"]["selector"] == labels
    assert of_kind(manifests, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    assert of_kind(manifests, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == labels


def test_the_service_leads_to_both_ports(manifests, pod):
    (container,) = pod["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"grpc": 8500, "rest": 8501}
    service = of_kind(manifests, "Service")["spec"]["ports"]
    assert {port["port"]: ports[port["targetPort"]] for port in service} == {8500: 8500, 8501: 8501}
    (rule,) = of_kind(manifests, "NetworkPolicy")["spec"]["ingress"]
    assert [port["port"] for port in rule["ports"]] == [8500, 8501]


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


def test_no_key_stands_in_the_manifests(served):
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
        name: container[name]["httpGet"]["path"]
        for name in ("startupProbe", "readinessProbe", "livenessProbe")
    }
    assert paths == {
        "startupProbe": ready,
        "readinessProbe": ready,
        "livenessProbe": "/v1/models/chest_xray",
    }


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
