"""The pod of one server, and the names that it refers to."""

from typing import Any, Final

from serving.tensorflow_serving import model_server
from serving.tensorflow_serving.served_model import ServedModel
from serving.tensorflow_serving.settings import AccessMode, DeploymentSettings, Verification
from serving.versions.signature import VERIFY_KEY

START_SECONDS: Final = 600
"""How long a server may take to load the models."""

NODES: Final = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
"""Those that the image is made for."""

_NODE: Final = "kubernetes.io/hostname"
_SSL_FOLDER: Final = "/etc/tensorflow_serving_ssl"

KEY_FILE: Final = "verify-key.pem"
"""The configuration file that the signatures of the versions are verified with."""

Resource = dict[str, Any]

_MOUNTS: Final[list[Resource]] = [
    {"name": "models", "mountPath": model_server.MODELS, "readOnly": True},
    {"name": "configuration", "mountPath": model_server.CONFIGURATION, "readOnly": True},
    {"name": "temporary", "mountPath": "/tmp"},
]


def instance(model: ServedModel) -> dict[str, str]:
    """Labels everything that has to do with the model."""
    return {"app.kubernetes.io/instance": model.resource_name}


def selector(model: ServedModel) -> dict[str, str]:
    """Labels everything that belongs to the servers."""
    return {"app.kubernetes.io/name": "tensorflow-serving", **instance(model)}


def claim_name(model: ServedModel, settings: DeploymentSettings) -> str:
    """Names the claim that holds the models."""
    return settings.claim or f"{model.resource_name}-models"


def is_on_one_node(settings: DeploymentSettings) -> bool:
    """Whether the claim can be mounted on one node alone."""
    return settings.claim is None and settings.access_mode is AccessMode.READ_WRITE_ONCE


def secret_name(model: ServedModel) -> str:
    """Names the Secret that holds ``ssl.config``."""
    return f"{model.resource_name}-ssl"


def config_map_name(model: ServedModel) -> str:
    """Names the ConfigMap that holds the other configuration files."""
    return f"{model.resource_name}-configuration"


def container_security(settings: DeploymentSettings) -> Resource:
    """Runs a container as a plain user, without all that the server does not need."""
    return {
        "runAsNonRoot": True,
        "runAsUser": settings.user_id,
        "runAsGroup": settings.user_id,
        "seccompProfile": {"type": "RuntimeDefault"},
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def container_resources(settings: DeploymentSettings) -> Resource:
    """Says what a container is promised and what it may take."""
    chosen = settings.resources
    return {
        "requests": {
            "cpu": str(chosen.cpus_requested),
            "memory": f"{chosen.memory_requested_mebibytes}Mi",
        },
        "limits": {"cpu": str(chosen.cpus), "memory": f"{chosen.memory_mebibytes}Mi"},
    }


def pod(model: ServedModel, settings: DeploymentSettings) -> Resource:
    """Describes the pod.

    Args:
        model: what is served.
        settings: of the deployment.

    Returns:
        Its specification.
    """
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        # The server does not handle SIGTERM, and the kernel keeps it from a PID 1 that does not.
        "shareProcessNamespace": True,
        "terminationGracePeriodSeconds": settings.drain_seconds + 15,
        "nodeSelector": dict(NODES),
        # So that the Secret can be read.
        "securityContext": {"runAsNonRoot": True, "fsGroup": settings.user_id},
        **placement(model, settings),
        **(
            {"initContainers": [_verifier(model, settings, settings.verification)]}
            if settings.verification
            else {}
        ),
        "containers": [_container(model, settings)],
        "volumes": _volumes(model, settings),
    }


def _verifier(
    model: ServedModel, settings: DeploymentSettings, verification: Verification
) -> Resource:
    """Describes what keeps a server from starting while a version is not signed as it must be."""
    return {
        "name": "verify",
        "image": verification.image,
        # Arguments, since the image's entry point runs them.
        "args": ["cxr", "verify", f"{model_server.MODELS}/{model.name}"],
        "env": [{"name": VERIFY_KEY, "value": f"{model_server.CONFIGURATION}/{KEY_FILE}"}],
        "resources": container_resources(settings),
        "securityContext": container_security(settings),
        "volumeMounts": _MOUNTS,
    }


def placement(model: ServedModel, settings: DeploymentSettings) -> Resource:
    """Says on which nodes the pods that mount the claim run: on all, or together on one."""
    if is_on_one_node(settings):
        term = {"topologyKey": _NODE, "labelSelector": {"matchLabels": instance(model)}}
        return {
            "affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
        }
    return {
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": _NODE,
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": selector(model)},
            }
        ]
    }


def _container(model: ServedModel, settings: DeploymentSettings) -> Resource:
    ssl_mount = {"name": "ssl", "mountPath": _SSL_FOLDER, "readOnly": True}
    return {
        "name": "tensorflow-serving",
        "image": settings.image_reference,
        "command": [model_server.COMMAND],
        "args": model_server.flags(settings, f"{_SSL_FOLDER}/{model_server.SSL_CONFIG}"),
        "ports": [
            {"name": "grpc", "containerPort": model_server.GRPC_PORT},
            {"name": "rest", "containerPort": model_server.REST_PORT},
        ],
        "resources": container_resources(settings),
        "securityContext": container_security(settings),
        "volumeMounts": [*_MOUNTS, *([ssl_mount] if settings.ssl else [])],
        "startupProbe": _probe(
            model_server.ready_path(model), period=5, failures=START_SECONDS // 5
        ),
        "readinessProbe": _probe(model_server.ready_path(model), period=10, failures=3),
        # Not whether it responds: its threads may all be busy, and a restart would lose what waits.
        "livenessProbe": {
            "tcpSocket": {"port": "rest"},
            "periodSeconds": 20,
            "timeoutSeconds": 5,
            "failureThreshold": 6,
        },
        # Requests keep coming until every node has heard that this server stops.
        "lifecycle": {"preStop": {"exec": {"command": ["sleep", str(settings.drain_seconds)]}}},
    }


def _probe(path: str, *, period: int, failures: int) -> Resource:
    return {
        "httpGet": {"path": path, "port": "rest"},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }


def _volumes(model: ServedModel, settings: DeploymentSettings) -> list[Resource]:
    ssl_volume = {"name": "ssl", "secret": {"secretName": secret_name(model), "defaultMode": 0o440}}
    claim = {"claimName": claim_name(model, settings), "readOnly": True}
    return [
        {"name": "models", "persistentVolumeClaim": claim},
        {"name": "configuration", "configMap": {"name": config_map_name(model)}},
        {"name": "temporary", "emptyDir": {"sizeLimit": "256Mi"}},
        *([ssl_volume] if settings.ssl else []),
    ]
