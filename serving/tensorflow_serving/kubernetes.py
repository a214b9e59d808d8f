"""Several servers on Kubernetes, behind one address, each with the models from one claim."""

from collections.abc import Mapping

from serving.tensorflow_serving import kubernetes_pod as pod
from serving.tensorflow_serving import model_server
from serving.tensorflow_serving.kubernetes_pod import Resource
from serving.tensorflow_serving.served_model import ServedModel
from serving.tensorflow_serving.settings import DeploymentSettings


def resources(
    model: ServedModel, settings: DeploymentSettings, *, contents: Mapping[str, str]
) -> list[Resource]:
    """Describes everything that runs the servers.

    Where gRPC is encrypted, the Secret that `kubernetes_pod.secret_name` names must be made from
    ``ssl.config`` besides: a manifest is no place for a private key.

    Args:
        model: what is served.
        settings: of the deployment.
        contents: the configuration files, by name.

    Returns:
        The manifests, in the order in which they are applied.
    """
    return [
        _config_map(model, contents),
        _claim(model, settings),
        _deployment(model, settings, contents),
        _service(model),
        _autoscaler(model, settings),
        _disruption_budget(model),
        _network_policy(model),
    ]


def _metadata(model: ServedModel, name: str) -> Resource:
    return {"name": name, "labels": pod.selector(model)}


def _config_map(model: ServedModel, contents: Mapping[str, str]) -> Resource:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(model, pod.config_map_name(model)),
        "data": dict(contents),
    }


def _claim(model: ServedModel, settings: DeploymentSettings) -> Resource:
    storage_class = {"storageClassName": settings.storage_class} if settings.storage_class else {}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": _metadata(model, pod.claim_name(model)),
        "spec": {
            # The pipeline pushes while servers on several nodes read.
            "accessModes": ["ReadWriteMany"],
            **storage_class,
            "resources": {"requests": {"storage": f"{settings.storage_gibibytes}Gi"}},
        },
    }


def _deployment(
    model: ServedModel, settings: DeploymentSettings, contents: Mapping[str, str]
) -> Resource:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(model, model.resource_name),
        "spec": {
            # Without a number of replicas: it is the autoscaler's.
            "selector": {"matchLabels": pod.selector(model)},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
            },
            "progressDeadlineSeconds": 2 * pod.START_SECONDS,
            "template": {
                "metadata": {
                    "labels": pod.selector(model),
                    "annotations": {
                        # A change starts new servers, which take labels that a running one refuses.
                        "configuration/sha256": model_server.checksum(contents),
                        "prometheus.io/scrape": "true",
                        "prometheus.io/port": str(model_server.REST_PORT),
                        "prometheus.io/path": model_server.METRICS_PATH,
                    },
                },
                "spec": pod.pod(model, settings),
            },
        },
    }


def _service(model: ServedModel) -> Resource:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(model, model.resource_name),
        "spec": {
            "type": "ClusterIP",
            "selector": pod.selector(model),
            "ports": [
                {
                    "name": "grpc",
                    "port": model_server.GRPC_PORT,
                    "targetPort": "grpc",
                    "appProtocol": "grpc",
                },
                {
                    "name": "rest",
                    "port": model_server.REST_PORT,
                    "targetPort": "rest",
                    "appProtocol": "http",
                },
            ],
        },
    }


def _autoscaler(model: ServedModel, settings: DeploymentSettings) -> Resource:
    target = {"type": "Utilization", "averageUtilization": settings.target_cpu_percent}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": _metadata(model, model.resource_name),
        "spec": {
            "scaleTargetRef": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": model.resource_name,
            },
            "minReplicas": settings.minimum_replicas,
            "maxReplicas": settings.maximum_replicas,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }


def _disruption_budget(model: ServedModel) -> Resource:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _metadata(model, model.resource_name),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": pod.selector(model)}},
    }


def _network_policy(model: ServedModel) -> Resource:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(model, model.resource_name),
        "spec": {
            "podSelector": {"matchLabels": pod.selector(model)},
            "policyTypes": ["Ingress", "Egress"],
            # The server asks nobody who they are: the namespace is the border. It calls nobody.
            "ingress": [
                {
                    "from": [{"podSelector": {}}],
                    "ports": [
                        {"protocol": "TCP", "port": model_server.GRPC_PORT},
                        {"protocol": "TCP", "port": model_server.REST_PORT},
                    ],
                }
            ],
            "egress": [],
        },
    }
