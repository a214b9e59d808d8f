"""The command `cxr serve`: the user's files read, the log set up, the addresses told."""

import logging
import os
import sys
from pathlib import Path

import click

from components.command import for_people
from components.errors import UserError

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("model", type=_PATH, required=False)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--rest-port", default=8501, show_default=True, help="Of REST; 0 takes a free one.")
@click.option("--grpc-port", default=8500, show_default=True, help="Of gRPC; 0 takes a free one.")
@click.option("--model-config-file", type=_PATH, help="Models, versions, labels; instead of MODEL.")
@click.option("--batching-parameters-file", type=_PATH, help="How requests are joined.")
@click.option("--ssl-config-file", type=_PATH, help="Key, certificate, clients' authority.")
@click.option("--poll-seconds", default=1.0, show_default=True, help="Between looks for a push.")
@click.option("--grace-seconds", default=30.0, show_default=True, help="To end requests in.")
@click.option("--allow-unverified", is_flag=True, help="Load models that are not what was pushed.")
@click.option("--ready-file", type=_PATH, help="Is written, with the addresses, when ready.")
@for_people
def serve(
    model: Path | None,
    host: str,
    rest_port: int,
    grpc_port: int,
    model_config_file: Path | None,
    batching_parameters_file: Path | None,
    ssl_config_file: Path | None,
    poll_seconds: float,
    grace_seconds: float,
    allow_unverified: bool,
    ready_file: Path | None,
) -> None:
    """Serve a pushed model, with TensorFlow Serving's REST and gRPC APIs and a page.

    MODEL is the folder of a model's versions, whose latest is followed, or of one version. The
    files are TensorFlow Serving's, in its formats.
    """
    from serving import model_config
    from serving.batching_settings import BatchingSettings

    if bool(model) == bool(model_config_file):
        raise UserError(
            "Give either MODEL, the folder of a model's versions, or --model-config-file."
        )
    models = (
        [model_config.of_folder(model)] if model else model_config.parse(_text(model_config_file))
    )
    batching = (
        BatchingSettings.from_text_proto(_text(batching_parameters_file))
        if batching_parameters_file
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

    def ready(addresses: server.Addresses, core: Core) -> None:
        for name in core.models():
            log.info("REST  %s/v1/models/%s", addresses.rest, name)
        log.info("gRPC  %s", addresses.grpc)
        log.info("Ctrl-C stops it.")
        if ready_file:
            server.write_ready_file(ready_file, addresses)

    server.serve(
        models,
        server.ServerSettings(
            host=host,
            rest_port=rest_port,
            grpc_port=grpc_port,
            batching=batching,
            ssl_config=tls.read(ssl_config_file) if ssl_config_file else None,
            poll_seconds=poll_seconds,
            grace_seconds=grace_seconds,
            allow_unverified=allow_unverified,
        ),
        ready=ready,
    )


def _text(path: Path | None) -> str:
    try:
        return path.read_text(encoding="utf-8") if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from error


if __name__ == "__main__":
    serve()
