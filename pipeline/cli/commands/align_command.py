"""The command `cxr align`."""

import sys
from pathlib import Path
from typing import Final

import click

from pipeline.cli import options
from pipeline.cli.command import for_people
from pipeline.cli.exit_codes import where_nothing_is_valid
from pipeline.cli.path_argument import LocalPath
from serving import strict_json
from transform_module.errors import UserError

_PATH = LocalPath()

REFUSED: Final = 3
"""The exit code of a refusal, as `cxr run` has it."""


@click.command()
@click.argument("model", type=_PATH)
@click.option(
    "--images",
    type=_PATH,
    metavar="FOLDER",
    required=True,
    help="Images of the place, of 300 patients or more; labels are not looked at.",
)
@click.option("--push", is_flag=True, help="Publish the corrected model as the next version.")
@click.option("--patient-pattern", metavar="REGEX", help="Its group is the patient's id.")
@click.option("--patients", metavar="CSV", help="Table with the columns path and patient.")
@options.config
@options.overrides
@options.as_json
@for_people
def align(
    model: Path,
    images: Path,
    push: bool,
    patient_pattern: str | None,
    patients: str | None,
    source: str | None,
    overrides: tuple[str, ...],
    as_json: bool,
) -> None:
    """Correct a pushed MODEL for the prevalence of another place, by unlabelled images of it.

    \b
    cxr align pushed/chest_xray --images place           what would be corrected
    cxr align pushed/chest_xray --images place --push    publish it

    MODEL is a version's folder, or the folder of the versions, of which the latest is taken. Its
    probabilities follow the share of PNEUMONIA among the images that it was calibrated on; where
    that is another one, they are too high or too low. The share is estimated, each patient counted
    once, and the logit of the probability is shifted; the network and the triage stay.

    Refused, with exit code 3, is a place of fewer than 300 patients, and one whose images were
    taken in another way, or show other patients: their scores do not say how many have PNEUMONIA.
    That a place is not refused proves nothing; label some of its images, see cxr evaluate. The exit
    code is 4 if no file is a readable image. Of the configuration, push.signing says who signs the
    new version.
    """  # noqa: D301  (Click knows the character, not its escape)
    from pydantic import ValidationError

    from pipeline.cli.output.align_table import as_plain, print_aligned
    from pipeline.cli.output.cells import console
    from pipeline.cli.output.display import Display
    from pipeline.config.config_file import load
    from pipeline.run_records.run_log import silenced
    from serving.align.alignment import Refused
    from serving.align.job import align_model
    from serving.images.settings import DatasetSettings

    try:
        settings = DatasetSettings(patient_pattern=patient_pattern, patients=patients)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UserError(f"--patient-pattern: {reason}") from error
    signing = load(source, overrides).push.signing
    try:
        with where_nothing_is_valid(), silenced() as terminal:
            aligned = align_model(
                model,
                images,
                push=push,
                settings=settings,
                signing=signing,
                step=Display(console(terminal)).step,
            )
    except Refused as refused:
        if as_json:
            click.echo(strict_json.dumps({"refused": str(refused)}, indent=2))
        else:
            click.echo(f"Refused: {refused}", err=True)
        sys.exit(REFUSED)
    if as_json:
        click.echo(strict_json.dumps(as_plain(aligned), indent=2))
    else:
        print_aligned(aligned)
