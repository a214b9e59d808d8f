"""The command `cxr clean`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli import options
from pipeline.cli.command import for_people
from serving.process.collector import importing

if TYPE_CHECKING:
    from pipeline.root.cleaning import Cleaned


@click.command()
@options.root
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="Finished runs whose outputs, records and logs stay, the latest ones.",
)
@click.option("--yes", is_flag=True, help="Remove; without it nothing is removed.")
@options.as_json
@for_people
def clean(root: Path, keep: int, yes: bool, as_json: bool) -> None:
    """Show, and with --yes remove, what the last runs and the pushed versions do not need.

    \b
    cxr clean                       what would be freed
    cxr clean --keep 1 --yes        keep the outputs of the latest finished run alone

    Pushed versions stay, unless the latest run was configured with push.keep. The latest that is
    whole, and the one that `cxr rollback` goes back to, stay in any case. So do the converted
    images of the last run, and those of the runs that are kept.
    """  # noqa: D301  (Click knows the character, not its escape)
    with importing():
        from pipeline.root.cleaning import clean as clean_root
    from pipeline.root.root import Root
    from pipeline.run_records.run_log import silenced

    with silenced():
        found = clean_root(Root.at(root), keep=keep, remove=yes)
    if as_json:
        content = [
            {"what": each.name, "paths": list(map(str, each.paths)), "bytes": each.freed}
            for each in found
        ]
        click.echo(json.dumps({"removed": yes, "groups": content}, indent=2))
    else:
        _print(found, removed=yes)


def _print(found: list[Cleaned], *, removed: bool) -> None:
    from pipeline.cli.output.cells import counted, new_table, print_table, standard_output

    console = standard_output()
    table = new_table("what", "number", "bytes", right=(1, 2))
    for each in found:
        table.add_row(each.name, counted(len(each.paths)), counted(each.freed))
    total = sum(each.freed for each in found)
    table.add_row("all", counted(sum(len(each.paths) for each in found)), counted(total))
    print_table(console, table)
    if not removed and any(each.paths for each in found):
        console.print("Nothing was removed. To remove it, give the same command with --yes.")
