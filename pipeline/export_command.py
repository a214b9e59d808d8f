"""The command `cxr export`."""

from pathlib import Path

import click

from components.choice_argument import Choice
from components.command import for_people
from components.path_argument import LocalPath
from pipeline import options
from pipeline.exit_codes import where_nothing_is_usable
from serving import strict_json
from serving.tflite.record import VARIANTS

_PATH = LocalPath()


@click.command()
@click.option("--tflite", is_flag=True, required=True, help="Write TFLite files.")
@click.argument("model", type=_PATH)
@click.argument("out", type=_PATH)
@click.option(
    "--variant",
    "variants",
    type=Choice(VARIANTS),
    multiple=True,
    help="What to write; may be repeated.  [default: all three]",
)
@click.option(
    "--pictures",
    type=_PATH,
    metavar="FOLDER",
    help="Representative pictures for int8, of any layout. Of them 256 are taken, by a hash of "
    "their path: from FOLDER/train where there is one, and never from FOLDER/test.",
)
@click.option(
    "--data",
    type=_PATH,
    metavar="IMAGES",
    help="Compare the files with the SavedModel on these NORMAL and PNEUMONIA pictures: on "
    "IMAGES/test where there is one, at most 2,000.  [default: FOLDER, where it has both]",
)
@options.as_json
@for_people
def export(
    tflite: bool,
    model: Path,
    out: Path,
    variants: tuple[str, ...],
    pictures: Path | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Write a pushed model for telephones: MODEL as TFLite files into the folder OUT.

    \b
    cxr export --tflite pushed/chest_xray app --pictures chest_xray
    cxr export --tflite pushed/chest_xray app --variant float16

    MODEL is a version's folder, or the folder of the versions, of which the latest is taken. The
    files take pixels, since TFLite decodes no pictures; OUT/model.json tells which, and what the
    answer means.
    """  # noqa: D301  (Click knows the character, not its escape)
    from rich.console import Console

    from pipeline.display import Display
    from pipeline.run_log import silenced
    from pipeline.tables import print_tflite
    from serving.tflite.export import export as export_tflite

    with where_nothing_is_usable(), silenced() as terminal:
        record = export_tflite(
            model,
            out,
            variants=[name for name in VARIANTS if name in variants] or VARIANTS,
            pictures=pictures,
            data=data,
            step=Display(Console(file=terminal)).step,
        )
    if as_json:
        click.echo(strict_json.dumps(record, indent=2))
    else:
        print_tflite(record, out)
