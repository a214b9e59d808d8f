"""The command `cxr inspect`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli import options
from pipeline.cli.command import for_people
from pipeline.cli.exit_codes import WARNINGS, where_nothing_is_valid
from pipeline.cli.path_argument import AnyPath, LocalPath
from serving import strict_json

if TYPE_CHECKING:
    from transform_module.files.place import Place


@click.command()
@click.argument("images", type=AnyPath())
@click.option(
    "--out",
    type=LocalPath(),
    metavar="FILE",
    help="Write a page with typical and odd images, one HTML file. It shows images of patients.",
)
@options.dataset
@options.config
@options.overrides
@click.option(
    "--beam-arg",
    "beam_args",
    multiple=True,
    metavar="ARG",
    help="Option for Beam, such as --beam-arg=--direct_num_workers=4; may be repeated.",
)
@options.as_json
@for_people
def inspect(
    images: Place,
    out: Path | None,
    source: str | None,
    overrides: tuple[str, ...],
    beam_args: tuple[str, ...],
    as_json: bool,
    **settings: Any,
) -> None:
    """Report on the folder IMAGES as cxr convert does, without converting it.

    \b
    cxr inspect chest_xray
    cxr inspect chest_xray --out images.html
    cxr inspect chest_xray --json                 for the tests of a dataset

    It prints what each split would hold, kinds and sizes of the files, duplicates, patients and
    copies in two folders, and how well quantities that say nothing about lungs, such as the size of
    the file, separate the classes alone.

    The exit code is 0 without warnings, 5 with some, and 4 if no file is a readable image of a
    class.
    """  # noqa: D301  (Click knows the character, not its escape)
    from components.convert import convert
    from components.convert.survey import sheet
    from pipeline.cli.output.cells import console, short_path, standard_output
    from pipeline.cli.output.data_tables import print_inspected
    from pipeline.cli.output.display import Display
    from pipeline.config.config_file import load
    from pipeline.run_records.run_log import silenced

    config = load(source, [*overrides, *options.of_dataset(settings)])
    report = sheet.writer(out) if out else None
    with (
        where_nothing_is_valid(),
        silenced() as terminal,
        Display(console(terminal)).step("Inspect images") as progress,
    ):
        dataset, refused = convert.inspect(
            images,
            settings=config.dataset,
            seed=config.seed,
            beam_args=[*config.beam.options, *beam_args],
            progress=progress,
            report=report,
        )
    warnings = [
        *dataset.warnings,
        *([f"cxr convert would refuse this: {refused}"] if refused else []),
    ]
    if as_json:
        content = {**dataset.model_dump(mode="json"), "warnings": warnings}
        click.echo(strict_json.dumps(content, indent=2))
    else:
        print_inspected(dataset, refused)
        if out:
            standard_output().print(f"Page: {short_path(out)}")
    if warnings:
        sys.exit(WARNINGS)
