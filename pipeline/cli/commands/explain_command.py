"""The command `cxr explain`."""

import sys
from pathlib import Path

import click

from pipeline.cli import options
from pipeline.cli.command import for_people
from pipeline.cli.exit_codes import NOTHING_VALID
from pipeline.cli.path_argument import LocalPath
from serving import strict_json

_PATH = LocalPath()


@click.command()
@click.argument("model", type=_PATH)
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=_PATH,
    metavar="FOLDER",
    required=True,
    help="Folder for the drawings; it is made.",
)
@options.as_json
@for_people
def explain(model: Path, images: tuple[Path, ...], out: Path, as_json: bool) -> None:
    """Draw heat maps of the evidence for pneumonia in IMAGES: files, folders and patterns.

    \b
    cxr explain pushed/chest_xray xray.jpeg folder --out explained

    MODEL is a version's folder, or the folder of the versions, of which the latest is taken. Each
    image is drawn to FOLDER/LABEL-PROBABILITY-NAME.png under its heat map: bright where the model
    found the most evidence in this image, however little that is. It marks no borders of an
    illness. A file that is not a readable image gets a row with the reason; the exit code is 4
    if all are.
    """  # noqa: D301  (Click knows the character, not its escape)
    from pipeline.cli.output.cells import console
    from pipeline.cli.output.data_tables import print_explanations
    from pipeline.cli.output.display import Display
    from pipeline.run_records.run_log import silenced
    from serving.explain.job import explain as explain_paths

    with silenced() as terminal, Display(console(terminal)).step("Explain images") as progress:
        explanations = explain_paths(model, images, out, progress=progress)
    if as_json:
        click.echo(strict_json.dumps([vars(each) for each in explanations], indent=2))
    else:
        print_explanations(explanations)
    if not any(each.valid for each in explanations):
        sys.exit(NOTHING_VALID)
