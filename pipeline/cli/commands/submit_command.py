"""The commands `cxr submit` and `cxr schedule`."""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli import options
from pipeline.cli.choice_argument import Choice
from pipeline.cli.command import for_people, when_interrupted
from pipeline.cli.path_argument import LocalPath
from transform_module.did_you_mean import did_you_mean
from transform_module.errors import UserError, refuse
from transform_module.text import printable

if TYPE_CHECKING:
    from pipeline.cluster.rehearsal.compiled import Compiled
    from pipeline.cluster.submission.submitted import Cluster, Submission

_PATH = LocalPath()
_FAILED = 4
"""The exit code of a run that failed or was cancelled, under --wait."""


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """What both commands take."""
    for option in reversed(
        (
            click.argument("file", type=_PATH),
            click.option("--target", type=Choice(["kubeflow", "vertex"]), required=True),
            click.option("--name", help="Of the run.  [default: the pipeline's, and the time]"),
            click.option(
                "--param",
                "parameters",
                multiple=True,
                metavar="NAME=VALUE",
                help="Replace a parameter's value, such as epochs=10; may be repeated.",
            ),
            click.option("--root", help="Where the outputs go.  [default: the file's]"),
            click.option("--no-cache", is_flag=True, help="Compute every task anew."),
            click.option("--experiment", help="What the run is listed under."),
            click.option("--service-account", help="What the run acts as."),
            click.option(
                "--host", metavar="URL", help="Kubeflow's API.  [default: KF_PIPELINES_ENDPOINT]"
            ),
            click.option("--namespace", help="Kubeflow's, where it has several users."),
            click.option(
                "--token-file",
                type=_PATH,
                metavar="FILE",
                help="Kubeflow's: a bearer token; read again for each request.",
            ),
            click.option(
                "--cookie-file",
                type=_PATH,
                metavar="FILE",
                help="Kubeflow's: the cookie of a login by Dex or oauth2-proxy.",
            ),
            click.option(
                "--ca-cert",
                type=_PATH,
                metavar="FILE",
                help="Kubeflow's: certificates of your own authorities, in PEM.",
            ),
            click.option("--project", help="Vertex AI's project."),
            click.option("--region", help="Vertex AI's region, such as us-central1."),
            click.option("--network", help="Vertex AI's network to be peered with."),
            click.option(
                "--label",
                "labels",
                multiple=True,
                metavar="KEY=VALUE",
                help="Of the run on Vertex AI; may be repeated.",
            ),
            click.option("--endpoint", metavar="URL", help="Vertex AI's API by a private address."),
            click.option("--dry-run", is_flag=True, help="Show what would be sent, and stop."),
            options.as_json,
        )
    ):
        command = option(command)
    return command


@click.command()
@_options
@click.option("--wait", is_flag=True, help="Follow the tasks; the exit code is the run's.")
@for_people
def submit(file: Path, *, wait: bool, dry_run: bool, as_json: bool, **given: Any) -> None:
    """Start a run of a compiled FILE on Kubeflow Pipelines or Vertex AI.

    Who you are comes from the files that you name, or the clients' own places, such as gcloud's
    login. With --wait the exit code is 0 when the run succeeded, and 4 when it failed or was
    cancelled.
    """
    from pipeline.cluster.submission.following import follow
    from pipeline.run_records.run_log import silenced

    submission = _submission(file, given)
    if dry_run:
        click.echo(json.dumps(asdict(submission), indent=2))
        return
    with silenced() as terminal:

        def say(text: str) -> None:
            print(text, file=terminal, flush=True)

        cluster = _cluster(given)
        run = cluster.submit(submission)
        say(f"{submission.name} is submitted: {run.link or run.id}")
        progress = None
        if wait:
            with when_interrupted("The run continues in the cluster."):
                progress = follow(cluster, run.id, lambda task, state: say(f"  {state:<10} {task}"))
    if as_json:
        content = {**asdict(run), "state": progress.state if progress else "submitted"}
        click.echo(json.dumps(content, indent=2))
    if progress:
        if progress.state != "succeeded":
            message = f"The run has {progress.state}. {progress.error}".strip()
            click.echo(printable(message, keep="\n\t"), err=True)
            sys.exit(_FAILED)
        if not as_json:
            click.echo("The run has succeeded.")


@click.command()
@_options
@click.option("--cron", required=True, help="When, in UTC: five fields, such as '0 3 * * 1'.")
@for_people
def schedule(file: Path, *, cron: str, dry_run: bool, as_json: bool, **given: Any) -> None:
    """Start a run of a compiled FILE again and again, one at a time."""
    from pipeline.run_records.run_log import silenced

    if len(cron.split()) != 5:
        raise UserError(
            f"--cron is {cron!r}; it takes minute, hour, day, month and day of the week, such as "
            "'0 3 * * 1'."
        )
    submission = _submission(file, given)
    if dry_run:
        click.echo(json.dumps({**asdict(submission), "cron": cron}, indent=2))
        return
    with silenced():
        made = _cluster(given).schedule(submission, cron)
    if as_json:
        click.echo(json.dumps(asdict(made), indent=2))
    else:
        click.echo(f"{submission.name} is scheduled: {made.link or made.id}")


def _submission(file: Path, given: dict[str, Any]) -> "Submission":
    from pipeline.cluster.rehearsal import compiled
    from pipeline.cluster.submission.submitted import Submission

    pipeline = compiled.read(file)
    _check_target(file, given["target"], pipeline)
    refuse("The pipeline cannot run", compiled.problems(pipeline))
    values = dict(_pair(each, "--param") for each in given["parameters"])
    name = pipeline.spec.pipeline_info.name
    return Submission(
        file=str(file),
        name=given["name"] or f"{name}-{time.strftime('%Y%m%d-%H%M%S')}",
        parameters={key: _value(pipeline, key, text) for key, text in values.items()},
        root=given["root"],
        cache=False if given["no_cache"] else None,
        service_account=given["service_account"],
        experiment=given["experiment"],
        labels=dict(_pair(each, "--label") for each in given["labels"]),
        network=given["network"],
    )


def _check_target(file: Path, target: str, pipeline: "Compiled") -> None:
    if pipeline.is_job != (target == "vertex"):
        other = "vertex" if pipeline.is_job else "kubeflow"
        raise UserError(
            f"{file} is compiled for {other}. Compile it again: cxr compile --target {target}"
        )


def _cluster(given: dict[str, Any]) -> "Cluster":
    if given["target"] == "kubeflow":
        host = given["host"] or os.environ.get("KF_PIPELINES_ENDPOINT")
        if not host:
            raise UserError("Give Kubeflow's address: --host URL, or KF_PIPELINES_ENDPOINT.")
        from pipeline.cluster.submission.kubeflow import Kubeflow, Login

        login = Login(given["token_file"], given["cookie_file"], given["ca_cert"])
        return Kubeflow(host, given["namespace"], login)
    for name in ("project", "region"):
        if not given[name]:
            raise UserError(f"Give Vertex AI's {name}: --{name}.")
    from pipeline.cluster.submission.vertex import Vertex

    return Vertex(given["project"], given["region"], given["endpoint"])


def _pair(text: str, option: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise click.UsageError(f"{option} takes NAME=VALUE, not {text!r}.")
    return key, value


def _value(pipeline: "Compiled", name: str, text: str) -> Any:
    if name not in pipeline.parameters:
        raise UserError(
            f"--param {name}: the pipeline has no such parameter."
            f"{did_you_mean(name, pipeline.parameters)} It has "
            f"{', '.join(sorted(pipeline.parameters))}."
        )
    kind = type(pipeline.parameters[name])
    try:
        return kind(text)
    except ValueError:
        raise UserError(f"--param {name}: {text!r} is not of type {kind.__name__}.") from None
