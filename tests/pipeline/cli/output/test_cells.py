import io
import sys

import pytest

from pipeline.cli.output import cells


def test_the_command_is_named_where_the_path_holds_it(monkeypatch):
    monkeypatch.setattr(cells.shutil, "which", lambda name: f"/bin/{name}")
    assert cells.command() == "cxr"


def test_the_command_is_reported_with_its_folder_where_the_path_does_not_hold_it(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cells.shutil, "which", lambda name: None)
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv/bin/python"))
    assert cells.command() == ".venv/bin/cxr"


def test_an_undefined_metric_is_a_dash():
    assert [cells.figure(None), cells.figure(0.5)] == ["-", "0.5000"]


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self):
        return True


def shown(monkeypatch, width, *rows):
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    file = Terminal()
    table = cells.new_table("image", "probability", "reason", right=(1,))
    for row in rows:
        table.add_row(*row)
    cells.print_table(cells.console(file), table)
    return file.getvalue().splitlines()


def test_a_table_that_fits_is_one(monkeypatch):
    assert shown(monkeypatch, 60, ("a.png", "0.9953", "")) == [
        "image  probability  reason",
        "a.png       0.9953",
    ]


def test_a_long_text_is_folded_and_a_number_is_not(monkeypatch):
    lines = shown(monkeypatch, 50, ("folder/" * 8 + "a.png", "0.9953", ""))
    assert all(len(line) <= 50 for line in lines)
    assert any("0.9953" in line for line in lines)
    assert "".join(line.split()[0] for line in lines[1:]) == "folder/" * 8 + "a.png"


def test_a_table_that_is_too_wide_is_printed_row_by_row(monkeypatch):
    rows = (("folder/a.png", "0.9953", ""), ("b.png", "-", "text file"))
    assert shown(monkeypatch, 25, *rows) == [
        "image        folder/a.png",
        "probability  0.9953",
        "",
        "image        b.png",
        "probability  -",
        "reason       text file",
    ]


@pytest.mark.parametrize(
    ("variables", "is_plain"),
    [({}, False), ({"NO_COLOR": "1"}, True), ({"NO_COLOR": ""}, False), ({"TERM": "dumb"}, True)],
)
def test_a_plain_terminal_gets_no_escape_sequence(monkeypatch, variables, is_plain):
    for name, value in {"TERM": "xterm", "NO_COLOR": "", **variables}.items():
        monkeypatch.setenv(name, value)
    file = Terminal()
    cells.console(file).print("[bold]bold[/] [dim]dim[/] [red]red[/]")
    assert ("\x1b" not in file.getvalue()) == is_plain


def test_a_name_does_not_act_on_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    file = Terminal()
    console = cells.console(file)
    table = cells.new_table("image")
    table.add_row("a\x1b[31m\u202e:smile:.png")
    cells.print_table(console, table)
    console.print("b\x1b[31m\u202e")
    assert "a\\x1b[31m\\u202e:smile:.png" in file.getvalue()
    assert "b\\x1b[31m\\u202e" in file.getvalue()
