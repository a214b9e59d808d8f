"""Configuration files and flags of ``tensorflow_model_server``."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from google.protobuf import text_format

from serving.tensorflow_serving import protos
from serving.tensorflow_serving.served_model import STABLE, ServedModel
from serving.tensorflow_serving.settings import DeploymentSettings, Ssl
from transform_module.errors import UserError

COMMAND: Final = "tensorflow_model_server"
GRPC_PORT: Final = 8500
REST_PORT: Final = 8501
METRICS_PATH: Final = "/monitoring/prometheus/metrics"

MODELS: Final = "/models"
"""The folder, in the container, that holds the folders of the models."""

CONFIGURATION: Final = "/etc/tensorflow_serving"
"""The folder, in the container, that holds the configuration files."""

MODELS_CONFIG: Final = "models.config"
BATCHING_CONFIG: Final = "batching.config"
MONITORING_CONFIG: Final = "monitoring.config"
SSL_CONFIG: Final = "ssl.config"


def models_config(model: ServedModel, *, name: str, base_path: str) -> str:
    """Writes the file of ``--model_config_file``: the latest version, or the labelled ones.

    With labels the policy names the versions: under ``latest`` a push could unload the version that
    a label names. A running server moves a label only to a version that it serves already, and
    checks that before it loads any. So a version becomes stable without a restart in two steps:
    first as canary, and when it is loaded, as stable.

    Args:
        model: what is served.
        name: what requests call it.
        base_path: the folder of its versions, as the server sees it.

    Returns:
        A ``tensorflow.serving.ModelServerConfig`` in the text format.
    """
    from tensorflow_serving.config import model_server_config_pb2

    config = model_server_config_pb2.ModelServerConfig()
    entry = config.model_config_list.config.add(
        name=name, base_path=base_path, model_platform="tensorflow"
    )
    if model.labels:
        entry.model_version_policy.specific.versions.extend(sorted(model.labels.values()))
    else:
        entry.model_version_policy.latest.num_versions = 1
    for label, version in model.labels.items():
        entry.version_labels[label] = version
    return str(text_format.MessageToString(config))


def monitoring_config() -> str:
    """Writes the file of ``--monitoring_config_file``: Prometheus's metrics on the REST port."""
    config = protos.monitoring_config()(prometheus_config={"enable": True, "path": METRICS_PATH})
    return str(text_format.MessageToString(config))


def ssl_config(ssl: Ssl) -> str:
    """Writes the file of ``--ssl_config_file``, which holds the key itself.

    Args:
        ssl: the files; without them, a template comes out.

    Returns:
        A ``tensorflow.serving.SSLConfig`` in the text format.

    Raises:
        UserError: a file cannot be read or is not a PEM file of the expected content.
    """
    config = protos.ssl_config()(
        server_key=_pem(ssl.key, "PRIVATE KEY"),
        server_cert=_pem(ssl.certificate, "CERTIFICATE"),
        client_verify=ssl.client_verify,
    )
    if ssl.client_authority or ssl.client_verify:
        config.custom_ca = _pem(ssl.client_authority, "CERTIFICATE")
    return str(text_format.MessageToString(config))


def _pem(path: Path | None, kind: str) -> str:
    if path is None:
        return f"replace this by the PEM text of the {kind.lower()}"
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as a PEM file: {error}") from error
    if "-----BEGIN " not in text or f"{kind}-----" not in text:
        raise UserError(f"{path} is not a PEM file with a {kind.lower()}.")
    return text


def files(model: ServedModel, settings: DeploymentSettings) -> dict[str, str]:
    """Writes the configuration that is not a secret: content by the name of its file."""
    return {
        MODELS_CONFIG: models_config(model, name=model.name, base_path=f"{MODELS}/{model.name}"),
        BATCHING_CONFIG: settings.batching.to_text_proto(),
        MONITORING_CONFIG: monitoring_config(),
    }


def configuration_flags(settings: DeploymentSettings) -> list[str]:
    """Lists the flags that hold wherever the server runs."""
    # A request holds its thread while its batch fills: fewer threads never fill a batch.
    threads = 2 * settings.batching.max_batch_size
    # In a container the server counts the cores of the machine, not those that it may use.
    cpus = settings.resources.cpus
    return [
        f"--model_config_file={CONFIGURATION}/{MODELS_CONFIG}",
        f"--model_config_file_poll_wait_seconds={settings.config_poll_seconds}",
        f"--file_system_poll_wait_seconds={settings.model_poll_seconds}",
        # The labels are read before the first version is loaded.
        "--allow_version_labels_for_unavailable_models=true",
        "--enable_batching=true",
        f"--batching_parameters_file={CONFIGURATION}/{BATCHING_CONFIG}",
        f"--monitoring_config_file={CONFIGURATION}/{MONITORING_CONFIG}",
        f"--rest_api_num_threads={threads}",
        f"--grpc_max_threads={threads}",
        # A client that is connected never queries DNS for servers that were added.
        f"--grpc_channel_arguments=grpc.max_connection_age_ms={settings.connection_seconds * 1000}",
        f"--tensorflow_intra_op_parallelism={cpus}",
        f"--tensorflow_inter_op_parallelism={cpus}",
    ]


def flags(settings: DeploymentSettings, ssl_config_file: str) -> list[str]:
    """Lists the flags of a server that has its ports to itself.

    Args:
        settings: of the deployment.
        ssl_config_file: where the server finds it, where gRPC is encrypted.

    Returns:
        The arguments of `COMMAND`.
    """
    encryption = [f"--ssl_config_file={ssl_config_file}"] if settings.ssl else []
    ports = [f"--port={GRPC_PORT}", f"--rest_api_port={REST_PORT}"]
    return [*ports, *configuration_flags(settings), *encryption]


def ready_path(model: ServedModel) -> str:
    """The REST path that succeeds only when the stable version, or else the latest, is loaded."""
    return f"/v1/models/{model.name}{f'/labels/{STABLE}' if model.labels else ''}/metadata"


def checksum(contents: Mapping[str, str]) -> str:
    """Identifies the content of configuration files, so that a place sees that it changed."""
    digest = hashlib.sha256()
    for name, content in sorted(contents.items()):
        digest.update(f"{name}\0{content}\0".encode())
    return digest.hexdigest()
