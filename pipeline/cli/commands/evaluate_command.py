"""The command `cxr evaluate`."""

from pathlib import Path
from typing import Any, Literal

import click

from pipeline.cli import options
from pipeline.cli.choice_argument import Choice
from pipeline.cli.command import for_people
from pipeline.cli.exit_codes import where_nothing_is_valid
from pipeline.cli.path_argument import LocalPath
from transform_module.errors import UserError

_PATH = LocalPath()


@click.command()
@click.argument("model", type=_PATH)
@click.argument("images", type=_PATH)
@click.option(
    "--out", type=_PATH, metavar="FOLDER", required=True, help="Folder to write the findings into."
)
@click.option("--against", type=_PATH, metavar="MODEL", help="Compare with another model.")
@click.option(
    "--corruptions/--no-corruptions",
    default=True,
    show_default=True,
    help="Predict changed images, too: up to 200, corrupted and as other places take them.",
)
@click.option(
    "--slice",
    "slices",
    multiple=True,
    metavar="COLUMN",
    help="Column of the table to group by; may be repeated.",
)
@options.labels
@click.option(
    "--uncertain",
    type=Choice(["drop", "positive", "negative"]),
    default="drop",
    show_default=True,
    help="What becomes of images whose label is uncertain (-1).",
)
@click.option("--patient-pattern", metavar="REGEX", help="Its group is the patient's id.")
@click.option("--patients", metavar="TABLE", help="Table with the columns path and patient.")
@click.option(
    "--unlisted-patients",
    type=Choice(["refuse", "alone"]),
    default="refuse",
    show_default=True,
    help="What becomes of images that the table of patients misses.",
)
@options.as_json
@for_people
def evaluate(
    model: Path,
    images: Path,
    out: Path,
    against: Path | None,
    corruptions: bool,
    slices: tuple[str, ...],
    uncertain: Literal["drop", "positive", "negative"],
    patient_pattern: str | None,
    patients: str | None,
    unlisted_patients: Literal["refuse", "alone"],
    as_json: bool,
    **labels: Any,
) -> None:
    """Measure how well a pushed MODEL predicts the labels of IMAGES.

    \b
    cxr evaluate pushed/chest_xray chest_xray/test --out evaluation
    cxr evaluate pushed/chest_xray labels.csv --slice site --out evaluation
    cxr evaluate pushed/chest_xray/18 test --against pushed/chest_xray/17 --out evaluation

    MODEL is a version's folder, or the folder of the versions, of which the latest is taken. IMAGES
    is a folder with NORMAL and PNEUMONIA, or of the images of a table (--labels); or such a table
    itself, whose paths are relative to its folder. All images are evaluated; intervals are of
    95 %, by bootstrap over patients.

    OUT gets page.html, findings.json, and as CSV images, slices, shifts and corruptions. Where none
    of the images can be used, it gets images.csv alone, with the reasons, and the exit code is 4.
    """  # noqa: D301  (Click knows the character, not its escape)
    from pydantic import ValidationError

    from pipeline.cli.output.cells import console
    from pipeline.cli.output.display import Display
    from pipeline.cli.output.evaluate_tables import print_evaluated
    from pipeline.config.config_file import load
    from pipeline.run_records.run_log import silenced
    from serving.analysis.findings import to_json
    from serving.evaluate.job import evaluate as evaluate_model
    from serving.images.settings import DatasetSettings

    named = load(None, options.of_dataset(labels)).dataset
    try:
        settings = DatasetSettings(
            classes=named.classes,
            labels=named.labels,
            layout=named.layout,
            uncertain=uncertain,
            patient_pattern=patient_pattern,
            patients=patients,
            unlisted_patients=unlisted_patients,
        )
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UserError(f"--patient-pattern: {reason}") from error
    with where_nothing_is_valid(), silenced() as terminal:
        evaluated = evaluate_model(
            model,
            images,
            out,
            against=against,
            corruptions=corruptions,
            settings=settings,
            slices=slices,
            step=Display(console(terminal)).step,
        )
    if as_json:
        click.echo(to_json(evaluated.findings), nl=False)
    else:
        print_evaluated(evaluated, out)
