"""The servers under KServe, which makes their pods, addresses and scaling itself."""

from collections.abc import Mapping
from typing import Any, Final

from serving.tensorflow_serving import kubernetes_pod, model_server
from serving.tensorflow_serving.served_model import ServedModel
from serving.tensorflow_serving.settings import DeploymentSettings

_MODEL_FOLDER: Final = "/mnt/models"
"""Where KServe puts what ``storageUri`` names: here, the folder of the versions."""


def resources(
    model: ServedModel, settings: DeploymentSettings, *, contents: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Describes the servers as an InferenceService, and its configuration.

    KServe calls the model as it calls the service, and holds the ports: requests go to
    ``/v1/models/{resource_name}``, and encryption is the mesh's. With `canary_traffic_percent`
    these servers get that share, and what was rolled out before the rest; that works where KServe
    runs on Knative.

    Args:
        model: what is served.
        settings: of the deployment.
        contents: the configuration files, by name; that of the models is written anew.

    Returns:
        The manifests, in the order in which they are applied.
    """
    name = f"{model.resource_name}-kserve-configuration"
    own = model_server.models_config(model, name=model.resource_name, base_path=_MODEL_FOLDER)
    data = {**contents, model_server.MODELS_CONFIG: own}
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data},
        {
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {"name": model.resource_name},
            "spec": {"predictor": _predictor(model, settings, data, config_map=name)},
        },
    ]


def _predictor(
    model: ServedModel, settings: DeploymentSettings, data: Mapping[str, str], *, config_map: str
) -> dict[str, Any]:
    share = settings.canary_traffic_percent
    return {
        **({} if share is None else {"canaryTrafficPercent": share}),
        # KServe starts a new revision when the pod changes, and the data are not part of it.
        "annotations": {"configuration/sha256": model_server.checksum(data)},
        "minReplicas": settings.minimum_replicas,
        "maxReplicas": settings.maximum_replicas,
        "automountServiceAccountToken": False,
        "model": {
            "modelFormat": {"name": "tensorflow"},
            "protocolVersion": "v1",
            "storageUri": settings.storage_uri
            or f"pvc://{kubernetes_pod.claim_name(model, settings)}/{model.name}",
            "image": settings.image_reference,
            # KServe's own arguments, which come first, name the ports.
            "args": model_server.configuration_flags(settings),
            "resources": kubernetes_pod.container_resources(settings),
            # Here and not at the pod, where Knative allows it only on request.
            "securityContext": kubernetes_pod.container_security(settings),
            "volumeMounts": [
                {
                    "name": "configuration",
                    "mountPath": model_server.CONFIGURATION,
                    "readOnly": True,
                }
            ],
        },
        "volumes": [{"name": "configuration", "configMap": {"name": config_map}}],
    }
