"""Several servers on Kubernetes, behind one address, each with the models from one claim."""

from collections.abc import Mapping, Sequence
from typing import Final

from serving.tensorflow_serving import kubernetes_pod as pod
from serving.tensorflow_serving import model_server
from serving.tensorflow_serving.kubernetes_pod import Resource
from serving.tensorflow_serving.served_model import ServedModel
from serving.tensorflow_serving.settings import DeploymentSettings

_LOADER_SECONDS: Final = 3600
_LOADER_RESOURCES: Final = {
    "requests": {"cpu": "100m", "memory": "64Mi"},
    "limits": {"cpu": "1", "memory": "256Mi"},
}


def resources(
    model: ServedModel, settings: DeploymentSettings, *, contents: Mapping[str, str]
) -> list[Resource]:
    """Describes everything that runs the servers.

    Where gRPC is encrypted, the Secret that `kubernetes_pod.secret_name` names must be made from
    ``ssl.config`` besides: a manifest is not a place for a private key.

    Args:
        model: what is served.
        settings: of the deployment.
        contents: the configuration files, by name.

    Returns:
        The manifests, in the order in which they are applied.
    """
    return [
        _config_map(model, contents),
        *([] if settings.claim else [_claim(model, settings)]),
        _deployment(model, settings, contents),
        _service(model),
        _headless_service(model),
        _autoscaler(model, settings),
        # On one node servers are moved together or not at all.
        *([] if pod.is_on_one_node(settings) else [_disruption_budget(model)]),
        _network_policy(model, settings),
    ]


def loader(model: ServedModel, settings: DeploymentSettings) -> list[Resource]:
    """Describes a pod through which versions are copied into the claim; it ends after an hour.

    Args:
        model: what is served.
        settings: of the deployment.

    Returns:
        The manifest: `kubectl cp` and `kubectl exec` work on its folder `model_server.MODELS`.
    """
    name = f"{model.resource_name}-loader"
    volume = {"claimName": pod.claim_name(model, settings)}
    labels = {"app.kubernetes.io/name": "model-loader", **pod.instance(model)}
    placement = pod.placement(model, settings) if pod.is_on_one_node(settings) else {}
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": labels},
            "spec": {
                "activeDeadlineSeconds": _LOADER_SECONDS,
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                "restartPolicy": "Never",
                "nodeSelector": dict(pod.NODES),
                "securityContext": {"runAsNonRoot": True, "fsGroup": settings.user_id},
                **placement,
                "containers": [
                    {
                        "name": "loader",
                        # The servers' own image, which is on the nodes: it has sleep, tar and mv.
                        "image": settings.image_reference,
                        "command": ["sleep", str(_LOADER_SECONDS)],
                        "resources": _LOADER_RESOURCES,
                        "securityContext": pod.container_security(settings),
                        "volumeMounts": [{"name": "models", "mountPath": model_server.MODELS}],
                    }
                ],
                "volumes": [{"name": "models", "persistentVolumeClaim": volume}],
            },
        }
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
        "metadata": _metadata(model, pod.claim_name(model, settings)),
        "spec": {
            "accessModes": [settings.access_mode.value],
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


_GRPC: Final = {
    "name": "grpc",
    "port": model_server.GRPC_PORT,
    "targetPort": "grpc",
    "appProtocol": "grpc",
}
_REST: Final = {
    "name": "rest",
    "port": model_server.REST_PORT,
    "targetPort": "rest",
    "appProtocol": "http",
}


def _service(model: ServedModel) -> Resource:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(model, model.resource_name),
        "spec": {
            "type": "ClusterIP",
            "selector": pod.selector(model),
            "ports": [dict(_GRPC), dict(_REST)],
        },
    }


def _headless_service(model: ServedModel) -> Resource:
    """Names each server, for gRPC: a connection to the other Service stays at one server."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(model, f"{model.resource_name}-grpc"),
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "None",
            "selector": pod.selector(model),
            "ports": [dict(_GRPC)],
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


def _network_policy(model: ServedModel, settings: DeploymentSettings) -> Resource:
    grpc, rest = (
        {"protocol": "TCP", "port": port}
        for port in (model_server.GRPC_PORT, model_server.REST_PORT)
    )
    # A list of nobody would be everybody.
    monitoring = {"from": _pods_of(settings.monitoring_namespaces), "ports": [rest]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(model, model.resource_name),
        "spec": {
            "podSelector": {"matchLabels": pod.selector(model)},
            "policyTypes": ["Ingress", "Egress"],
            # The server authenticates nobody: the namespaces are the border. It calls nobody.
            "ingress": [
                {
                    "from": [{"podSelector": {}}, *_pods_of(settings.client_namespaces)],
                    "ports": [grpc, rest],
                },
                *([monitoring] if settings.monitoring_namespaces else []),
            ],
            "egress": [],
        },
    }


def _pods_of(namespaces: Sequence[str]) -> list[Resource]:
    # Every namespace has this label: https://kubernetes.io/docs/reference/labels-annotations-taints/
    return [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}
        for name in namespaces
    ]
