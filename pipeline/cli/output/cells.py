"""Tables and cells as every command prints them."""

import contextlib
import os
import shutil
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from transform_module.files.place import Place
from transform_module.files.store_path import StorePath
from transform_module.text import printable, shell_quoted

_DUMB: Final = ("dumb", "unknown")
_UNBOUNDED: Final = 10_000
"""Columns where the output is not a terminal."""

_GAP: Final = 2
_NARROW: Final = 24
"""A column of text is not folded to less than this, unless its words are shorter."""

FIGURES: Final = {
    "auc": "AUC",
    "pr_auc": "PR-AUC",
    "accuracy": "accuracy",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "ece": "ECE",
    "brier": "Brier score",
}
"""The figures that have intervals, by the names that tables show."""


def new_table(*columns: str, right: Collection[int] = (), gap: int = _GAP) -> Table:
    """A table whose columns at the indices `right` hold numbers."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, gap, 0, 0))
    for index, column in enumerate(columns):
        is_number = index in right
        table.add_column(
            column, justify="right" if is_number else "left", overflow="fold", no_wrap=is_number
        )
    return table


def print_table(console: Console, table: Table) -> None:
    """Prints a table without the blanks that fill up its last column.

    Where the terminal is too narrow for it, each row is printed as lines of name and value.
    """
    if _least_width(console, table) > console.width:
        _print_records(console, table)
        return
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
        console: where.
        columns: names of the columns.
        rows: cells of each row, as markup.
        right: columns that hold numbers.
        expendable: columns that may be left out, the first of them first.

    Returns:
        The columns that were left out.
    """
    unlimited = console.options.update(width=_UNBOUNDED)
    for count in range(len(expendable) + 1):
        left_out = list(expendable[:count])
        kept = [index for index, name in enumerate(columns) if name not in left_out]
        names = [columns[index] for index in kept]
        numbers = [place for place, name in enumerate(names) if name in right]
        for gap in (_GAP, 1):
            table = new_table(*names, right=numbers, gap=gap)
            for row in rows:
                table.add_row(*(row[index] for index in kept))
            if console.measure(table, options=unlimited).maximum <= console.width:
                print_table(console, table)
                return left_out
    print_table(console, table)
    return left_out


def _least_width(console: Console, table: Table) -> int:
    """The width below which numbers would be cut, or words of text."""
    width = 0
    for column in table.columns:
        lines = [_text(console, each) for each in (column.header, *column.cells)]
        if column.no_wrap:
            width += max(line.cell_len for line in lines)
        else:
            words = [cell_len(word) for line in lines for word in line.plain.split()]
            width += min(_NARROW, max(words, default=0))
    return width + table.padding[1] * (len(table.columns) - 1)


def _print_records(console: Console, table: Table) -> None:
    names = [_text(console, column.header).plain for column in table.columns]
    indent = max(map(cell_len, names)) + _GAP
    for number, row in enumerate(zip(*(column.cells for column in table.columns), strict=True)):
        if number:
            console.print()
        for name, cell in zip(names, row, strict=True):
            value = _text(console, cell)
            if value.plain:
                console.print(Text.assemble((f"{name:<{indent}}", "dim"), value))


def _text(console: Console, cell: RenderableType) -> Text:
    return cell if isinstance(cell, Text) else console.render_str(str(cell))


class _Output(Console):
    def on_broken_pipe(self) -> None:
        """Leaves it to the command, which Rich would end as if it had failed."""
        raise BrokenPipeError

    def render_str(self, text: str, **options: Any) -> Text:
        """Renders text, of a table's cell too, in which no name acts on the terminal."""
        return super().render_str(printable(text, keep="\n"), **options)


def standard_output() -> Console:
    """Standard output; in a pipe or a file a table is as wide as it needs to be."""
    return console(sys.stdout)


def console(file: TextIO) -> Console:
    """What prints to a stream: with colours and movement where it is a terminal that has them.

    None of them where NO_COLOR is set (https://no-color.org) or the terminal is a dumb one.

    Args:
        file: the stream.
    """
    is_terminal = file.isatty()
    is_plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") in _DUMB
    return _Output(
        file=file,
        emoji=False,
        highlight=False,
        soft_wrap=True,
        width=_width(file) if is_terminal else _UNBOUNDED,
        force_terminal=False if is_plain else None,
        color_system=None if is_plain else "auto",
    )


def _width(file: TextIO) -> int | None:
    if os.environ.get("COLUMNS"):
        return None  # Rich reads it.
    with contextlib.suppress(OSError):
        return os.get_terminal_size(file.fileno()).columns or None
    return None


def short_path(path: Place) -> str:
    """A path from the working directory, if it lies in it; as markup that is safe to print."""
    if isinstance(path, StorePath):
        return escape(printable(str(path)))
    try:
        return escape(printable(str(path.relative_to(Path.cwd()))))
    except ValueError:
        return escape(printable(str(path)))


def argument(path: Path) -> str:
    """A path as a shell takes it, from the working directory, if it lies in it; as markup."""
    with contextlib.suppress(ValueError):
        path = path.relative_to(Path.cwd())
    text = str(path)
    return escape(shell_quoted(f"./{text}" if text.startswith("-") else text))


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
