"""Output of `cxr runs` for two runs."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from pipeline.cli.output.cells import new_table, print_table, standard_output
from pipeline.run_records.run_comparison import Comparison, Row, is_same_data
from transform_module.text import printable


def print_comparison(comparison: Comparison) -> None:
    """Prints two runs side by side, what differs in bold."""
    console = standard_output()
    _print(console, "run", comparison.runs, comparison.outcome)
    if comparison.configuration:
        console.print()
        _print(console, "configuration", ("", ""), comparison.configuration)
    else:
        console.print("\nThe configuration is the same.")
    if comparison.data:
        console.print()
        _print(console, "data", ("", ""), comparison.data)
    if comparison.figures:
        console.print()
        _print(console, "test split", ("", ""), comparison.figures)
        if not is_same_data(comparison):
            console.print("[yellow]The data differs: the figures are not of the same images.[/]")


def _print(console: Console, title: str, heads: Sequence[str], rows: Sequence[Row]) -> None:
    table = new_table(title, *map(escape, heads))
    for row in rows:
        style = "bold" if row.first != row.second else ""
        table.add_row(*(escape(printable(cell)) or "-" for cell in row), style=style)
    print_table(console, table)
