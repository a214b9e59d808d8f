"""Tables and cells as every command prints them."""

import contextlib
import shlex
import shutil
import sys
from collections.abc import Collection
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from components.text import printable


def new_table(*columns: str, right: Collection[int] = ()) -> Table:
    """A table whose columns at the indices `right` hold numbers."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
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


class _Output(Console):
    def on_broken_pipe(self) -> None:
        """Leaves it to the command, which Rich would end as if it had failed."""
        raise BrokenPipeError


def standard_output() -> Console:
    """Standard output; in a pipe or a file a table is as wide as it needs to be."""
    console = _Output(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console = _Output(highlight=False, soft_wrap=True, width=10_000)
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
    """How the user calls `cxr`: by its name, or by its path where no folder of PATH holds it."""
    return "cxr" if shutil.which("cxr") else argument(Path(sys.executable).with_name("cxr"))


def figure(value: float | None) -> str:
    """A metric, a dash where it is undefined."""
    return "-" if value is None else f"{value:.4f}"


def counted(value: int | str) -> str:
    """A number of things; text as it is."""
    return f"{value:,}" if isinstance(value, int) else value
