"""The commands `cxr serve` and `cxr rollback`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli import options
from pipeline.cli.choice_argument import Choice
from pipeline.cli.command import for_people
from pipeline.cli.path_argument import LocalPath
from pipeline.run.allocator import with_tuned_allocator
from serving.process import system_errors
from serving.process.collector import importing
from transform_module.errors import UserError, refuse
from transform_module.text import printable, shell_quoted

if TYPE_CHECKING:
    from serving.versions.signing import SigningSettings

_PATH = LocalPath()
_PORT = click.IntRange(0, 65535)


@click.command()
@click.argument("model", type=_PATH, required=False)
@click.option(
    "--engine",
    type=Choice(["embedded", "tensorflow-serving"]),
    default="embedded",
    show_default=True,
    help="What serves it.",
)
@click.option(
    "--out",
    type=_PATH,
    metavar="FOLDER",
    default="deployment",
    show_default=True,
    help="Folder that TensorFlow Serving's files are written into.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--rest-port", type=_PORT, default=8501, show_default=True, help="Of REST; 0 takes a free one."
)
@click.option(
    "--grpc-port", type=_PORT, default=8500, show_default=True, help="Of gRPC; 0 takes a free one."
)
@click.option(
    "--model-config-file",
    type=_PATH,
    metavar="FILE",
    help="Models, versions, labels; instead of MODEL.",
)
@click.option(
    "--batching-parameters-file", type=_PATH, metavar="FILE", help="How requests are joined."
)
@click.option(
    "--ssl-config-file", type=_PATH, metavar="FILE", help="Key, certificate, clients' authority."
)
@click.option(
    "--poll-seconds",
    type=click.FloatRange(min=0.05),
    default=1.0,
    show_default=True,
    help="Between looks for a push.",
)
@click.option(
    "--grace-seconds",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="Time to finish accepted requests after a stop is requested.",
)
@click.option(
    "--limit",
    "limit_settings",
    multiple=True,
    metavar="NAME=NUMBER",
    help="Of what clients may send, such as memory_bytes; serving/README.md lists them.",
)
@click.option("--allow-unverified", is_flag=True, help="Load models that are not what was pushed.")
@click.option(
    "--ready-file", type=_PATH, metavar="FILE", help="Is written, with the addresses, when ready."
)
@with_tuned_allocator
@for_people
def serve(
    model: Path | None,
    engine: str,
    out: Path,
    host: str,
    rest_port: int,
    grpc_port: int,
    model_config_file: Path | None,
    batching_parameters_file: Path | None,
    ssl_config_file: Path | None,
    poll_seconds: float,
    grace_seconds: float,
    limit_settings: tuple[str, ...],
    allow_unverified: bool,
    ready_file: Path | None,
) -> None:
    """Serve a pushed model, with TensorFlow Serving's REST and gRPC APIs and a page.

    MODEL is the folder of a model's versions, whose latest is followed, or of one version. The
    files are TensorFlow Serving's, in its formats.

    With --engine tensorflow-serving its configuration, a compose file and manifests for Kubernetes
    and KServe are written, and the container runs where Docker or Podman does. Of the options
    below, it takes none.
    """
    if engine == "tensorflow-serving":
        _serve_in_container(model, out)
        return
    from serving.server import model_config, serving_process, tls
    from serving.server.admission import limits
    from serving.server.admission.batching_settings import BatchingSettings
    from serving.versions.signature import VERIFY_KEY, required

    if bool(model) == bool(model_config_file):
        raise UserError(
            "Give either MODEL, the folder of a model's versions, or --model-config-file."
        )
    if required() and allow_unverified:
        raise UserError(
            f"{VERIFY_KEY} is set, so that each version must be signed; --allow-unverified would "
            "load others, too. Leave out the one or the other."
        )
    models = (
        [model_config.of_folder(model)] if model else model_config.parse(_text(model_config_file))
    )
    batching = (
        BatchingSettings.from_text_proto(_text(batching_parameters_file))
        if batching_parameters_file
        else BatchingSettings()
    )
    serving_process.run(
        models,
        ready_file=ready_file,
        host=host,
        rest_port=rest_port,
        grpc_port=grpc_port,
        batching=batching,
        limits=limits.parse(limit_settings),
        ssl_config=tls.read(ssl_config_file) if ssl_config_file else None,
        poll_seconds=poll_seconds,
        grace_seconds=grace_seconds,
        allow_unverified=allow_unverified,
    )


def _serve_in_container(model: Path | None, out: Path) -> None:
    from serving.tensorflow_serving import containers, deployment
    from serving.versions import verification
    from serving.versions.signature import required

    if model is None:
        raise UserError("Give MODEL, the folder of a model's versions.")
    if trust := required():
        # TensorFlow Serving verifies nothing, and loads whatever has the highest number.
        refuse(
            "TensorFlow Serving would load versions that are not signed as they must be",
            (each.problems[0] for each in verification.verify(model, trust) if each.problems),
        )
    for path in deployment.write(model, out):
        click.echo(printable(str(path)))
    compose_file = out / deployment.COMPOSE
    container_engine = containers.find_engine()
    if container_engine is None:
        click.echo(
            "Neither Docker nor Podman runs here. Where one does: "
            f"docker compose -f {shell_quoted(str(compose_file))} up"
        )
        return
    sys.exit(containers.up(container_engine, compose_file))


def _text(path: Path | None) -> str:
    try:
        return path.read_text(encoding="utf-8") if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from error


@click.command()
@click.argument("model")
@click.option("--to", type=int, metavar="VERSION", help="Instead of the former one.")
@options.config
@options.overrides
@for_people
def rollback(model: str, to: int | None, source: str | None, overrides: tuple[str, ...]) -> None:
    """Go back to the former version of a pushed model.

    MODEL is the folder of its versions, on this machine or in a bucket. The former version is
    published anew, under the next number, which the embedded server and TensorFlow Serving follow
    within seconds. Where the highest version is broken, it goes back to the newest whole one.

    The model that is left is remembered there: a run does not push it again, unless it is given
    --set push.again=true.

    Of the configuration, push.signing says who signs the new version.
    """
    from pipeline.config.config_file import load

    signing = load(source, overrides).push.signing
    publish = _rolled_back_remotely if "://" in model else _rolled_back
    restored, number = publish(model, to, signing)
    place = printable(model.rstrip("/"))
    click.echo(f"Version {restored} is back, as version {number}: {place}/{number}")


def _rolled_back(model: str, to: int | None, signing: SigningSettings) -> tuple[int, int]:
    from serving.versions.push import rollback as publish

    folder = Path(model)
    if not folder.is_dir():
        raise UserError(f"{model}: there is no such folder.")
    try:
        version = publish(folder.resolve(), to, signing=signing)
    except OSError as error:
        explained = system_errors.explain(error) or str(error)
        raise UserError(f"{model}: the version cannot be published. {explained}") from error
    return (version.manifest or {})["restores"], version.version


def _rolled_back_remotely(model: str, to: int | None, signing: SigningSettings) -> tuple[int, int]:
    with importing():
        import tensorflow as tf

        from serving.versions.push_remote import rollback_remotely
    try:
        return rollback_remotely(model.rstrip("/"), to, signing=signing)
    except tf.errors.OpError as error:
        raise UserError(f"{model}: the version cannot be published: {error.message}") from error


if __name__ == "__main__":
    serve()
