"""Tables and cells as every command prints them."""

import contextlib
import shlex
import shutil
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from components.text import printable

_UNLIMITED: Final = 10_000
"""Columns of what is no terminal."""


def new_table(*columns: str, right: Collection[int] = (), gap: int = 2) -> Table:
    """A table whose columns at the indices `right` hold numbers."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, gap, 0, 0))
    for index, column in enumerate(columns):
        table.add_column(
            column, justify="right" if index in right else "left", overflow="fold", no_wrap=False
        )
    return table


def print_table(console: Console, table: Table) -> None:
    """Prints a table without the blanks that fill up its last column."""
    for line in console.render_lines(table, pad=False):
        text = Text.assemble(*((part.text, part.style or "") for part in line))
        text.rstrip()
        console.print(text)


def print_fitting(
    console: Console,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[str] = (),
    expendable: Sequence[str] = (),
) -> list[str]:
    """Prints a table whose cells are never broken where leaving columns out can prevent it.

    Args:
      console: Where.
      columns: Names of the columns.
      rows: Cells of each row, as markup.
      right: Columns that hold numbers.
      expendable: Columns that may be left out, the first of them first.

    Returns:
      The columns that were left out.
    """
    unlimited = console.options.update(width=_UNLIMITED)
    for count in range(len(expendable) + 1):
        left_out = list(expendable[:count])
        kept = [index for index, name in enumerate(columns) if name not in left_out]
        names = [columns[index] for index in kept]
        numbers = [place for place, name in enumerate(names) if name in right]
        for gap in (2, 1):
            table = new_table(*names, right=numbers, gap=gap)
            for row in rows:
                table.add_row(*(row[index] for index in kept))
            if console.measure(table, options=unlimited).maximum <= console.width:
                print_table(console, table)
                return left_out
    print_table(console, table)
    return left_out


class _Output(Console):
    def on_broken_pipe(self) -> None:
        """Leaves it to the command, which Rich would end as if it had failed."""
        raise BrokenPipeError


def standard_output() -> Console:
    """Standard output; in a pipe or a file a table is as wide as it needs to be."""
    console = _Output(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console = _Output(highlight=False, soft_wrap=True, width=_UNLIMITED)
    return console


def short_path(path: Path) -> str:
    """A path from the working directory, if it lies in it; as markup that is safe to print."""
    try:
        return escape(printable(str(path.relative_to(Path.cwd()))))
    except ValueError:
        return escape(printable(str(path)))


def argument(path: Path) -> str:
    """A path as a shell takes it, from the working directory, if it lies in it; as markup."""
    with contextlib.suppress(ValueError):
        path = path.relative_to(Path.cwd())
    text = str(path)
    return escape(shlex.quote(f"./{text}" if text.startswith("-") else text))


def command() -> str:
    """How the user calls `cxr`; see `program`."""
    return program("cxr")


def program(name: str) -> str:
    """How the user calls a program of this environment; as markup.

    Returns:
      Its name, or its path where no folder of PATH holds it.
    """
    return name if shutil.which(name) else argument(Path(sys.executable).with_name(name))


def figure(value: float | None) -> str:
    """A metric, a dash where it is undefined."""
    return "-" if value is None else f"{value:.4f}"


def counted(value: int | str) -> str:
    """A number of things; text as it is."""
    return f"{value:,}" if isinstance(value, int) else value
