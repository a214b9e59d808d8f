"""The `cxr` command: parse, call, print. What it calls is imported where it is called."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli import completion, options, served
from pipeline.cli.choice_argument import Choice
from pipeline.cli.command import for_people, when_interrupted
from pipeline.cli.command_group import Commands, ImagesByOption
from pipeline.cli.commands.align_command import align
from pipeline.cli.commands.clean_command import clean
from pipeline.cli.commands.cluster_command import compile_, rehearse
from pipeline.cli.commands.evaluate_command import evaluate
from pipeline.cli.commands.explain_command import explain
from pipeline.cli.commands.export_command import export
from pipeline.cli.commands.inspect_command import inspect
from pipeline.cli.commands.serve_command import rollback, serve
from pipeline.cli.commands.submit_command import schedule, submit
from pipeline.cli.commands.verify_command import verify
from pipeline.cli.exit_codes import NOTHING_VALID
from pipeline.cli.path_argument import AnyPath, LocalPath
from pipeline.run.allocator import with_tuned_allocator
from serving import strict_json
from serving.process.collector import importing
from transform_module.errors import UserError
from transform_module.text import shell_quoted

if TYPE_CHECKING:
    from serving.predict.files import FilePrediction
    from transform_module.files.place import Place

_PATH = LocalPath()
_ANY_PATH = AnyPath()
_beam_args = click.option(
    "--beam-arg",
    "beam_args",
    multiple=True,
    metavar="ARG",
    help="Option for Beam, such as --beam-arg=--direct_num_workers=4; may be repeated.",
)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="chest-xray-pipeline", prog_name="cxr")
def main() -> None:
    """Chest X-rays: from folders of images to a served model that detects pneumonia."""


@main.command(cls=ImagesByOption)
@options.images
@options.labels
@options.config
@options.overrides
@click.option("--orchestrator", type=Choice(["local", "beam"]), help="What runs it.")
@click.option(
    "--profile",
    is_flag=True,
    help="Draw where the time goes, and profile a few steps of the training for TensorBoard. A "
    "training that was not profiled is done again.",
)
@options.root
@options.as_json
@with_tuned_allocator
@for_people
@when_interrupted()
def run(
    images: Path | None,
    source: str | None,
    overrides: tuple[str, ...],
    orchestrator: str | None,
    profile: bool,
    root: Path,
    as_json: bool,
    **labels: Any,
) -> None:
    """Run the pipeline: convert what changed, train, evaluate, push.

    \b
    cxr run --config demo                    on synthetic images
    cxr run --images chest_xray --config fast
    cxr run --images chest_xray --config fast --set trainer.epochs=3 --orchestrator beam
    cxr run --config demo --profile          where the time goes

    Without --config it trains `cnn`, the largest of the models, with all defaults.

    A killed run resumes where it stopped when the same command is repeated.
    """  # noqa: D301  (Click knows the character, not its escape)
    from pipeline.config.config_file import load

    given = [f"images={json.dumps(str(images))}"] if images else []
    given += options.of_dataset(labels)
    given += [f"orchestrator={orchestrator}"] if orchestrator else []
    config = load(source, [*overrides, *given])
    with importing():
        from pipeline.run.execute import execute
    from pipeline.cli.output.run_tables import print_run
    from pipeline.root.root import Root

    record = execute(config, root, source=source, profile=profile)
    if as_json:
        click.echo(strict_json.dumps(record.model_dump(mode="json"), indent=2))
    else:
        print_run(record, Root.at(root))
    if record.push and not record.push.pushed:
        sys.exit(3)


@main.command()
@click.argument("out", type=_PATH)
@click.option("--count", default=600, show_default=True, help="Images to draw.")
@click.option("--seed", default=7, show_default=True, help="Another seed draws other patients.")
@options.as_json
@for_people
def synth(out: Path, count: int, seed: int, as_json: bool) -> None:
    """Draw synthetic chest X-rays into the folder OUT, in the layout of the Kaggle dataset."""
    from components.synthetic.generate import generate
    from pipeline.cli.output.cells import console
    from pipeline.cli.output.data_tables import print_synthetic
    from pipeline.cli.output.display import Display

    with Display(console(sys.stderr)).step(f"Draw {count} images") as progress:
        made = generate(out, images=count, seed=seed, progress=progress)
    if as_json:
        content = {"images": made.images, "patients": made.patients, "broken": made.broken}
        click.echo(json.dumps(content, indent=2))
    else:
        print_synthetic(made, out)


@main.command()
@click.argument("images", type=_ANY_PATH)
@click.argument("out", type=_ANY_PATH)
@options.dataset
@click.option(
    "--page",
    type=_PATH,
    metavar="FILE",
    help="Write a page with typical and odd images, one HTML file. It shows images of patients.",
)
@options.config
@options.overrides
@_beam_args
@options.as_json
@for_people
@when_interrupted()
def convert(
    images: Place,
    out: Place,
    page: Path | None,
    source: str | None,
    overrides: tuple[str, ...],
    beam_args: tuple[str, ...],
    as_json: bool,
    **dataset: Any,
) -> None:
    """Convert the folder or archive IMAGES to TFRecords in the folder OUT.

    IMAGES, or the one folder in it, holds train|val|test/NORMAL|PNEUMONIA/..., or only
    NORMAL|PNEUMONIA/...; with --labels it holds the images of TABLE in any folders. It may be a
    zip or tar file (.tar, .tgz, .tar.gz, .tar.bz2, .tar.xz). Files that are not readable images
    are listed in OUT/quarantine.csv with the reason. Each may be in a store: s3://BUCKET/FOLDER,
    minio:// or gs://. cxr inspect IMAGES prints the same report, and converts nothing.
    """
    from components.convert import convert as images_convert
    from components.convert.survey import sheet
    from pipeline.cli.output.cells import console
    from pipeline.cli.output.data_tables import print_dataset
    from pipeline.cli.output.display import Display
    from pipeline.config.config_file import load
    from pipeline.run_records.run_log import silenced

    config = load(source, [*overrides, *options.of_dataset(dataset)])
    report = sheet.writer(page) if page else None
    with (
        silenced() as terminal,
        Display(console(terminal)).step("Convert images") as progress,
    ):
        converted = images_convert.convert(
            images,
            out,
            settings=config.dataset,
            seed=config.seed,
            beam_args=[*config.beam.options, *beam_args],
            progress=progress,
            report=report,
        )
    if as_json:
        click.echo(strict_json.dumps(converted.model_dump(mode="json"), indent=2))
    else:
        print_dataset(converted, out)


@main.command()
@click.option("--show", is_flag=True, help="Print every key with its meaning, bounds and value.")
@options.config
@options.overrides
@for_people
def config(show: bool, source: str | None, overrides: tuple[str, ...]) -> None:
    """Check a configuration, or show one."""
    from pipeline.config.config_fields import to_yaml
    from pipeline.config.config_file import load

    loaded = load(source, overrides)
    click.echo(to_yaml(loaded) if show else "The configuration is valid.", nl=not show)


@main.command()
@click.argument("run_ids", metavar="[RUN] [RUN]", nargs=-1, shell_complete=completion.run_ids)
@options.root
@options.as_json
@for_people
def runs(run_ids: tuple[str, ...], root: Path, as_json: bool) -> None:
    """List the runs under a root, show one RUN, or compare two.

    \b
    cxr runs                          all runs
    cxr runs last                     one: times, memory, why not cached, lineage
    cxr runs 20261130-09 last         two: configuration, data and figures side by side

    RUN is a run's id, the beginning of no other run's id, or `last`.
    """  # noqa: D301  (Click knows the character, not its escape)
    from pipeline.cli.output.run_comparison_tables import print_comparison
    from pipeline.cli.output.run_tables import print_run
    from pipeline.root.root import Root
    from pipeline.root.root_lock import holder_pid
    from pipeline.run_records import run_comparison, run_record
    from pipeline.run_records.run_list import print_runs

    if len(run_ids) > 2:
        raise click.UsageError("Give at most two runs, to compare them.")

    place = Root.at(root)
    records = run_record.load_all(place.runs, holder_pid(place.path))
    if not records:
        raise UserError(
            f"No run has begun under {place.path}. "
            f"Start one: cxr run --root {shell_quoted(str(root))}"
        )
    if not run_ids:
        shown: Any = [record.model_dump(mode="json") for record in records]
        click.echo(strict_json.dumps(shown, indent=2)) if as_json else print_runs(records, place)
        return
    record, *others = (run_record.find(records, each) for each in run_ids)
    if others:
        compared = run_comparison.compare(record, others[0], place)
        if as_json:
            click.echo(strict_json.dumps(run_comparison.to_json(compared), indent=2))
        else:
            print_comparison(compared)
        return
    if as_json:
        click.echo(strict_json.dumps(record.model_dump(mode="json"), indent=2))
    else:
        print_run(record, place, lineage=True)


@main.command()
@click.argument(
    "model_and_images",
    metavar="[MODEL] IMAGES...",
    nargs=-1,
    required=True,
    # As they are: an address has two slashes. One that cannot be read gets a row that says so.
    type=click.Path(path_type=str),
)
@click.option("--url", help="Query a served model instead of loading MODEL: http:// or grpc://.")
@served.options
@click.option(
    "--out", type=_ANY_PATH, metavar="FILE", help="Write a .csv, .jsonl or .parquet file."
)
@click.option(
    "--labels",
    metavar="TABLE",
    help="With --out: add the true labels of a table with the columns path and label.",
)
@click.option(
    "--dicom-sr",
    type=_PATH,
    metavar="FOLDER",
    help="Write a structured report and a heat map for each DICOM file: they name the patient.",
)
@click.option(
    "--flink",
    metavar="CLUSTER",
    help="Predict on Flink, with --out: HOST:PORT of its REST API, or local for one of its own.",
)
@_beam_args
@options.as_json
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@for_people
def predict(
    model_and_images: tuple[str, ...],
    url: str | None,
    out: Place | None,
    labels: str | None,
    dicom_sr: Path | None,
    flink: str | None,
    beam_args: tuple[str, ...],
    as_json: bool,
    as_csv: bool,
    **server: Any,
) -> None:
    """Predict IMAGES, which are files, folders and patterns, by MODEL, a pushed model.

    \b
    cxr predict pushed/chest_xray xray.jpeg folder
    cxr predict pushed/chest_xray folder 'more/**/*.png' --out predictions.parquet
    cxr predict --url http://127.0.0.1:8501 xray.jpeg folder
    cxr predict --url grpcs://HOST:8500 --ca-cert ca.pem --label stable folder

    MODEL is a version's folder, or the folder of the versions, of which the latest is taken. A file
    that is not a readable image gets a row with the reason. An image that is out of domain does not
    resemble the training data: do not rely on its prediction. Its triage is REVIEW, as that of an
    image which can be called neither NORMAL nor PNEUMONIA at the model's allowed error rates.

    With --out any number of images is predicted, in Beam, and a summary is printed. IMAGES may then
    be TFRecord files of images, too. A killed call resumes where it stopped when the same command
    is repeated.

    Of a zip or tar file among IMAGES all images are predicted. IMAGES may be files and folders in a
    store, s3://BUCKET/FOLDER, minio:// or gs://, and so may FILE, for which a killed call starts
    anew.

    With --dicom-sr each DICOM file's prediction is written for the patient's record, too, as
    FOLDER/NAME.sr.dcm and FOLDER/NAME.heatmap.dcm, marked as not for diagnosis.

    The exit code is 4 if no file is a readable image.
    """  # noqa: D301  (Click knows the character, not its escape)
    from pipeline.cli.output.cells import console
    from pipeline.cli.output.data_tables import print_summary
    from pipeline.cli.output.display import Display
    from pipeline.run_records.run_log import silenced
    from serving.beam.beam_args import flink_args
    from serving.client import MAXIMUM_IMAGE
    from serving.predict.files import predict as predict_paths
    from serving.predict.files import predict_by
    from serving.predict.many.job import predict_many

    if as_json and as_csv:
        raise click.UsageError("Choose one of --json and --csv.")
    if out and as_csv:
        raise click.UsageError("Choose one of --out, which writes a file, and --csv, which prints.")
    if (beam_args or flink) and not out:
        raise click.UsageError(
            f"{'--flink' if flink else '--beam-arg'} needs --out: without it Beam is not used."
        )
    if labels and not out:
        raise click.UsageError("--labels needs --out, the table that gets the column.")
    if url and out:
        raise click.UsageError("Choose one of --url and --out, which loads MODEL.")
    if dicom_sr and (url or out):
        raise click.UsageError(f"Choose one of --dicom-sr and {'--url' if url else '--out'}.")
    served.check(url, server)
    if url:
        with (
            silenced() as terminal,
            Display(console(terminal)).step("Predict images") as progress,
            served.connected(url, **server) as client,
        ):
            predictions = predict_by(
                client.predict_in_parts,
                model_and_images,
                maximum_bytes=MAXIMUM_IMAGE,
                progress=progress,
            )
        _print_predictions(predictions, as_json=as_json, as_csv=as_csv)
        _check_any_valid(predictions)
        return
    model, *images = model_and_images
    if not images:
        raise click.UsageError("Give MODEL and IMAGES, or --url and IMAGES.")
    if out:
        with (
            when_interrupted(),
            silenced() as terminal,
            Display(console(terminal)).step("Predict images") as progress,
        ):
            given = [*(flink_args(flink) if flink else ()), *beam_args]
            summary = predict_many(
                Path(model), images, out, labels=labels, beam_args=given, progress=progress
            )
        if as_json:
            click.echo(strict_json.dumps({**vars(summary), "out": str(out)}, indent=2))
        else:
            print_summary(summary, out)
        if not summary.valid:
            sys.exit(NOTHING_VALID)
        return
    if dicom_sr:
        _predict_with_reports(model, images, dicom_sr, as_json=as_json, as_csv=as_csv)
        return
    with silenced() as terminal, Display(console(terminal)).step("Predict images") as progress:
        predictions = predict_paths(model, images, progress=progress)
    _print_predictions(predictions, as_json=as_json, as_csv=as_csv)
    _check_any_valid(predictions)


def _predict_with_reports(
    model: str, images: list[str], out: Path, *, as_json: bool, as_csv: bool
) -> None:
    from pipeline.cli.output.cells import console, standard_output
    from pipeline.cli.output.display import Display
    from pipeline.cli.output.report_lines import print_reports
    from pipeline.run_records.run_log import silenced
    from serving.predict.structured_report.job import predict_with_reports

    with silenced() as terminal, Display(console(terminal)).step("Predict images") as progress:
        predictions = predict_with_reports(model, images, out, progress=progress)
    _print_predictions(predictions, as_json=as_json, as_csv=as_csv)
    if not as_json:  # It holds all that the lines say.
        print_reports(console(sys.stderr) if as_csv else standard_output(), predictions, out)
    _check_any_valid(predictions)


def _print_predictions(
    predictions: Sequence[FilePrediction], *, as_json: bool, as_csv: bool
) -> None:
    from pipeline.cli.output.data_tables import print_predictions
    from serving.predict.many.prediction_table import COLUMNS, write_csv

    if as_json:
        click.echo(strict_json.dumps([vars(each) for each in predictions], indent=2))
    elif as_csv:
        write_csv(
            ({name: getattr(each, name) for name in COLUMNS} for each in predictions), sys.stdout
        )
    else:
        print_predictions(predictions)


def _check_any_valid(predictions: Sequence[FilePrediction]) -> None:
    if not any(each.valid for each in predictions):
        sys.exit(NOTHING_VALID)


main.add_command(inspect)
main.add_command(explain)
main.add_command(evaluate)
main.add_command(align)
main.add_command(compile_)
main.add_command(rehearse)
main.add_command(submit)
main.add_command(schedule)
main.add_command(serve)
main.add_command(export)
main.add_command(verify)
main.add_command(rollback)
main.add_command(clean)
