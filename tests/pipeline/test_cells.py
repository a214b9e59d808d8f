import sys

from pipeline import cells


def test_the_command_is_named_where_the_path_holds_it(monkeypatch):
    monkeypatch.setattr(cells.shutil, "which", lambda name: f"/bin/{name}")
    assert cells.command() == "cxr"


def test_the_command_is_told_with_its_folder_where_the_path_does_not_hold_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cells.shutil, "which", lambda name: None)
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv/bin/python"))
    assert cells.command() == ".venv/bin/cxr"


def test_an_undefined_metric_is_a_dash():
    assert [cells.figure(None), cells.figure(0.5)] == ["-", "0.5000"]
