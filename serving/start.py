"""Starting the embedded server: the user's files read, the log set up, the addresses told."""

import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from components.errors import UserError
from serving import model_config
from serving.batching_settings import BatchingSettings
from serving.model_config import ModelConfig


@dataclass(frozen=True)
class Choices:
    """What a user can say; see the options of `cxr serve`."""

    model: Path | None
    host: str
    rest_port: int
    grpc_port: int
    model_config_file: Path | None
    batching_parameters_file: Path | None
    ssl_config_file: Path | None
    poll_seconds: float
    grace_seconds: float
    allow_unverified: bool
    ready_file: Path | None


def start(choices: Choices) -> None:
    """Serves until SIGTERM or SIGINT.

    Raises:
        UserError: there is no such model, a file is no good, or a port is taken.
    """
    models = _models(choices)
    batching = (
        BatchingSettings.from_text_proto(_text(choices.batching_parameters_file))
        if choices.batching_parameters_file
        else BatchingSettings()
    )
    # TensorFlow's C++ reads it once, on import: 2 leaves errors.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname).1s %(message)s"
    )
    log = logging.getLogger("serving")
    log.info("Starting TensorFlow")

    from serving import server, tls
    from serving.core import Core

    settings = server.ServerSettings(
        host=choices.host,
        rest_port=choices.rest_port,
        grpc_port=choices.grpc_port,
        batching=batching,
        ssl_config=tls.read(choices.ssl_config_file) if choices.ssl_config_file else None,
        poll_seconds=choices.poll_seconds,
        grace_seconds=choices.grace_seconds,
        allow_unverified=choices.allow_unverified,
    )

    def ready(addresses: server.Addresses, core: Core) -> None:
        log.info("REST  %s/v1/models/%s", addresses.rest, models[0].name)
        log.info("gRPC  %s", addresses.grpc)
        log.info("Ctrl-C stops it.")
        if choices.ready_file:
            server.write_ready_file(choices.ready_file, addresses)

    server.serve(models, settings, ready=ready)


def _models(choices: Choices) -> list[ModelConfig]:
    if choices.model_config_file and choices.model:
        raise UserError("Give MODEL or --model-config-file, not both.")
    if choices.model_config_file:
        return model_config.parse(_text(choices.model_config_file))
    if choices.model:
        return [model_config.of_folder(choices.model)]
    raise UserError("Give MODEL, the folder of a model's versions, or --model-config-file.")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from error
