"""Endpoint: serves what was pushed at an endpoint of Vertex AI, with TensorFlow Serving."""

import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import PushedModel

from components.google_cloud.settings import EndpointSettings, GoogleCloudSettings
from components.pusher import PUSHED, PUSHED_DESTINATION, PUSHED_VERSION, REASON
from serving.versions import push_remote, pushed
from transform_module.errors import UserError
from transform_module.files import remote

DEPLOYED: Final = "deployed"
"""Custom property of the served model: 1 when the endpoint serves it, else 0."""

ENDPOINT: Final = "endpoint"
"""Custom property of the served model: the endpoint's resource name."""

_PORT: Final = 8501

_LOG = logging.getLogger(__name__)


@component
def Endpoint(
    pushed_model: InputArtifact[PushedModel],
    served_model: OutputArtifact[PushedModel],
    google_cloud: Parameter[str],
    model_name: Parameter[str],
) -> None:
    """Deploys what Pusher pushed: copies it to where Vertex AI takes it from, and uploads it.

    A version that the endpoint serves is not deployed again, and a model that was not pushed is not
    deployed: the component succeeds.

    Args:
        pushed_model: what Pusher made.
        served_model: gets the files and, as its properties, the outcome.
        google_cloud: GoogleCloudSettings as JSON, with ``endpoint``.
        model_name: the model's name in the push folder, which requests name, too.

    Raises:
        UserError: the pushed version is damaged, or Vertex AI refused.
    """
    is_pushed = bool(pushed_model.get_int_custom_property(PUSHED))
    served_model.set_int_custom_property(DEPLOYED, int(is_pushed))
    if not is_pushed:
        reason = pushed_model.get_string_custom_property(REASON)
        served_model.set_string_custom_property(REASON, reason)
        _LOG.warning("The model is not deployed, because it was not pushed: %s.", reason)
        return
    version = pushed_model.get_string_custom_property(PUSHED_VERSION)
    source = pushed_model.get_string_custom_property(PUSHED_DESTINATION)
    # TensorFlow Serving looks for versions in the folder that Vertex AI copies for it; the push
    # folder has all that were ever pushed.
    _take(source, f"{served_model.uri}/{version}")
    settings = GoogleCloudSettings.model_validate_json(google_cloud)
    name = _deploy(settings, model_name, version, served_model.uri)
    served_model.set_string_custom_property(PUSHED_VERSION, version)
    served_model.set_string_custom_property(ENDPOINT, name)
    _LOG.info("Version %s is served by %s.", version, name)


def _take(source: str, target: str) -> None:
    """Copies a pushed version, as its manifest lists it and no other."""
    folder, _, number = source.rstrip("/").rpartition("/")
    with tempfile.TemporaryDirectory(prefix="endpoint-") as place:
        near = push_remote.fetch(folder, number, Path(place))
        if problems := pushed.verify(near):
            problem = problems[0].replace(str(near), source)
            raise UserError(
                f"{problem}. The pushed version is damaged, so that it is not deployed. Roll back "
                "to another version (cxr rollback), or run again to push it anew."
            )
        remote.copy(str(near), target, remote.files(str(near)))


def container(settings: EndpointSettings, model_name: str) -> dict[str, Any]:
    """Returns how Vertex AI starts TensorFlow Serving and where it sends requests.

    Args:
        settings: the endpoint's.
        model_name: the model's.

    Returns:
        Arguments of ``aiplatform.Model.upload``. ``AIP_STORAGE_URI`` is where the service has put
        the files (https://cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements).
    """
    path = f"/v1/models/{model_name}"
    return {
        "serving_container_image_uri": settings.container,
        "serving_container_command": ["/usr/bin/tensorflow_model_server"],
        "serving_container_args": [
            f"--rest_api_port={_PORT}",
            f"--model_name={model_name}",
            "--model_base_path=$(AIP_STORAGE_URI)",
        ],
        "serving_container_ports": [_PORT],
        "serving_container_predict_route": f"{path}:predict",
        "serving_container_health_route": path,
    }


def without_traffic(split: Mapping[str, int], deployed: list[str]) -> list[str]:
    """Lists the deployed models, by their ids, that get no request: they cost and serve nothing."""
    return [each for each in deployed if not split.get(each)]


def _deploy(settings: GoogleCloudSettings, model_name: str, version: str, uri: str) -> str:
    """Returns the endpoint's resource name."""
    # Google's client takes seconds to import.
    from google.api_core import exceptions
    from google.auth import exceptions as auth_exceptions
    from google.cloud import aiplatform
    from requests import exceptions as requests_exceptions

    chosen = settings.endpoint
    assert chosen is not None
    aiplatform.init(project=settings.project, location=settings.region, api_transport="rest")
    label = f"{model_name}-{version}"
    try:
        endpoints = aiplatform.Endpoint.list(
            filter=f'display_name="{chosen.name}"', order_by="create_time"
        )
        endpoint = endpoints[0] if endpoints else aiplatform.Endpoint.create(chosen.name)
        present = endpoint.list_models()
        if label not in {each.display_name for each in present}:
            model = aiplatform.Model.upload(
                display_name=label, artifact_uri=uri, **container(chosen, model_name)
            )
            endpoint.deploy(
                model,
                deployed_model_display_name=label,
                machine_type=chosen.machine,
                accelerator_type=chosen.accelerator,
                accelerator_count=chosen.accelerators if chosen.accelerator else None,
                min_replica_count=chosen.min_replicas,
                max_replica_count=chosen.max_replicas,
                # The first one of an endpoint cannot share.
                traffic_percentage=chosen.traffic if present else 100,
                service_account=settings.service_account,
            )
        idle = without_traffic(endpoint.traffic_split, [each.id for each in present])
        for each in idle:
            endpoint.undeploy(each)
    except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
        raise UserError(_refused(settings, str(error))) from None
    except (auth_exceptions.GoogleAuthError, requests_exceptions.ConnectionError) as error:
        raise UserError(_refused(settings, str(error))) from None
    return str(endpoint.resource_name)


def _refused(settings: GoogleCloudSettings, said: str) -> str:
    who = settings.service_account or "the task's service account"
    return (
        f"Vertex AI ({settings.project}, {settings.region}) was to serve the model, and reported: "
        f"{said}. The model is in the push folder. Check that {who} may manage endpoints "
        "(roles/aiplatform.user), and run again."
    )
