"""The commands `cxr compile` and `cxr rehearse`."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli import options
from pipeline.cli.choice_argument import Choice
from pipeline.cli.command import for_people
from pipeline.cli.path_argument import LocalPath
from serving.process.collector import importing
from transform_module.did_you_mean import did_you_mean
from transform_module.errors import UserError, refuse
from transform_module.text import printable, shell_quoted

if TYPE_CHECKING:
    from pipeline.cluster.cluster_checks import Target
    from pipeline.cluster.rehearsal.compiled import Compiled

_PATH = LocalPath()


@click.command("compile")
@click.option("--target", type=Choice(["kubeflow", "vertex"]), required=True)
@click.option(
    "--out", type=_PATH, metavar="FILE", required=True, help="File to write: YAML or JSON."
)
@options.config
@options.overrides
@click.option("--draw", type=_PATH, metavar="FILE", help="Draw the graph as SVG, too.")
@for_people
def compile_(
    target: "Target", out: Path, source: str | None, overrides: tuple[str, ...], draw: Path | None
) -> None:
    """Compile the pipeline for Kubeflow Pipelines or Vertex AI.

    Needs no network and no credentials. Data, push folder, epochs, batch size, learning rate and
    Beam's arguments stay parameters of the file.
    """
    from pipeline.cluster.cluster_checks import problems
    from pipeline.config.config_file import load
    from pipeline.run.preflight.own_function_check import require_function
    from pipeline.run_records.run_log import silenced

    config = load(source, overrides)
    refuse("This cannot run in a cluster", problems(config, target))
    with silenced():
        require_function(config.transform)
        with importing():
            from pipeline.cluster.rehearsal import compiled, graph_drawing
            from pipeline.runners import kubeflow, specification, vertex

        job = specification.specify(config)
        is_vertex = target == "vertex"
        text = vertex.render(job) if is_vertex else kubeflow.render(job, config.cluster)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
        made = compiled.read(out)
        refuse("It cannot run", compiled.problems(made))
        if draw:
            draw.write_text(graph_drawing.svg(made), encoding="utf-8")
    click.echo(
        f"{printable(str(out))}: {len(made.tasks)} tasks, {len(made.parameters)} parameters for "
        f"{target}"
    )
    if draw:
        click.echo(printable(str(draw)))
    click.echo(f"Try it here: cxr rehearse {shell_quoted(str(out))}")


@click.command()
@click.argument("file", type=_PATH)
@options.images
@click.option(
    "--root",
    type=_PATH,
    metavar="FOLDER",
    default="cxr-rehearsal",
    show_default=True,
    help="Folder for all that is made.",
)
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="REMOTE=FOLDER",
    help="Local folder for a remote one, such as gs://bucket/examples=examples; may be repeated.",
)
@click.option(
    "--like",
    type=Choice(["kubeflow-2.0", "kubeflow-2.5", "kubeflow-2.17", "vertex"]),
    help="Hand the tasks what this release, or Vertex AI, does.  [default: the file's kind, in the"
    " newest of these releases]",
)
@click.option("--exact", is_flag=True, help="Start a process for each task, as a cluster does.")
@click.option("--jobs", default=2, show_default=True, help="Tasks at the same time.")
@click.option("--only", metavar="TASK", help="Run one task, after a rehearsal of all.")
@click.option("--from", "first", metavar="TASK", help="Run a task and what follows from it.")
@options.as_json
@for_people
def rehearse(
    file: Path,
    images: Path | None,
    root: Path,
    maps: tuple[str, ...],
    like: str | None,
    exact: bool,
    jobs: int,
    only: str | None,
    first: str | None,
    as_json: bool,
) -> None:
    """Run a compiled FILE on this machine, task by task, as a cluster would.

    Each task gets the command, the arguments and the input that the cluster's launcher would hand
    it, in a copy of what the image holds. The exit code is 0 only if the model was pushed, loads
    and predicts.
    """
    from pipeline.cli.output.cells import console
    from pipeline.cli.output.display import Display
    from pipeline.cli.output.rehearsal_table import print_rehearsal
    from pipeline.cluster.rehearsal import compiled
    from pipeline.cluster.rehearsal.rehearse import Rehearsal
    from pipeline.cluster.rehearsal.stand_in_data import made_local
    from pipeline.run_records.run_log import silenced

    pipeline = compiled.read(file)
    chosen = _chosen(pipeline, only, first)
    started = time.monotonic()
    with silenced() as terminal:
        display = Display(console(terminal))
        given = dict(_place(each) for each in maps)
        pipeline, places = made_local(pipeline, root.resolve(), given, images, display)
        rehearsal = Rehearsal(
            pipeline,
            root.resolve(),
            source=Path(__file__).resolve().parents[3],
            places=places,
            like=like,
            exact=exact,
            jobs=jobs,
            done=lambda task: display.ended(task.task, task.seconds),
        )
        outcome = rehearsal.run(chosen)
    seconds = time.monotonic() - started
    if as_json:
        content = {
            "tasks": {each.task: round(each.seconds, 3) for each in outcome.done},
            "seconds": round(seconds, 3),
            "pushed": str(outcome.version) if outcome.version else None,
            "evaluation": outcome.evaluation,
        }
        click.echo(json.dumps(content, indent=2))
    else:
        print_rehearsal(outcome, seconds)


def _place(text: str) -> tuple[str, str]:
    remote, equals, folder = text.rpartition("=")
    if not equals or not remote or not folder:
        raise click.UsageError(f"--map takes REMOTE=FOLDER, not {text!r}.")
    return remote, str(Path(folder).expanduser().resolve())


def _chosen(pipeline: "Compiled", only: str | None, first: str | None) -> set[str] | None:
    if only and first:
        raise click.UsageError("Choose one of --only and --from.")
    name = only or first
    if not name:
        return None
    if name not in pipeline.tasks:
        raise UserError(
            f"There is no task {name}.{did_you_mean(name, pipeline.tasks)} There are "
            f"{', '.join(sorted(pipeline.tasks))}."
        )
    return {name} if only else {name, *pipeline.after(name)}
