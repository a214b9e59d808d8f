import json

import pytest
from rich.console import Console

from pipeline.cli.output import cells
from pipeline.root.root import Root
from pipeline.run_records import run_list
from pipeline.run_records.run_list import print_runs
from pipeline.run_records.run_record import (
    DataRecord,
    PushRecord,
    RunRecord,
    TrainingRecord,
    load_all,
)
from tests.pipeline import records
from tests.pipeline.printed import cells as cells_of

CONFIG = {"name": "fast", "trainer": {"model": "transfer", "epochs": 15, "folds": 1}}
DATA = DataRecord(splits={"train": {"NORMAL": 3000, "PNEUMONIA": 1000}, "test": {"NORMAL": 1232}})


@pytest.fixture
def root(tmp_path):
    return Root(tmp_path)


@pytest.fixture
def at_width(monkeypatch):
    """Makes standard output a terminal of some columns."""

    def narrow(width):
        console = Console(highlight=False, soft_wrap=True, width=width, color_system=None)
        monkeypatch.setattr(run_list, "standard_output", lambda: console)

    return narrow


def long_run(identity="20261130-120000-2", **changes):
    made = {
        "state": "interrupted",
        "preset": "kaggle",
        "config": CONFIG,
        "data": DATA,
        "training": TrainingRecord(epochs=12, parameters=3),
        **changes,
    }
    return records.run(identity, **made)


def test_each_run_is_one_line(printed, root):
    failed = records.run("20260302-1", state="failed", evaluation=None, push=None)
    refused = records.run("20260302-0", state="refused")
    print_runs([long_run("20260301-120000", state="finished"), refused, failed], root)
    message = printed()
    assert cells_of(message, "run") == [
        *("run", "state", "preset", "model", "epochs", "images", "AUC", "pushed")
    ]
    assert cells_of(message, "20260301-120000")[1:] == [
        *("finished", "kaggle", "transfer", "12/15", "5,232", "0.9877", "1772366400")
    ]
    assert cells_of(message, "20260302-1")[1:] == ["failed", "-", "-", "-", "-", "-", "-"]
    assert "\nShow one: cxr runs 20260302-1 --root" in message
    assert "\nCompare two: cxr runs 20260301-120000 20260302-0 --root" in message


@pytest.mark.parametrize("width", [80, 120])
def test_all_columns_fit_80_and_no_id_is_broken(printed, root, at_width, width):
    at_width(width)
    runs = [long_run(), long_run("20261130-120000", state="refused", preset="fast")]
    print_runs(runs, root)
    head, *lines = printed().splitlines()[:3]
    assert max(map(len, (head, *lines))) <= width
    assert [line.split()[0] for line in lines] == [each.id for each in runs]
    assert [len(line.split()) for line in (head, *lines)] == [8, 8, 8]


@pytest.mark.parametrize("width", [60, 40])
def test_a_narrow_terminal_has_fewer_columns_and_whole_ids(printed, root, at_width, width):
    at_width(width)
    print_runs([long_run()], root)
    message = printed()
    head, line, *_ = message.splitlines()
    assert max(len(head), len(line)) <= width
    assert line.split()[:2] == ["20261130-120000-2", "interrupted"]
    assert "AUC" in head.split()
    assert "Not shown at this width: epochs, images" in message


def test_a_pipe_has_all_columns_whatever_the_terminal(printed, root, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    print_runs([long_run()], root)
    assert len(cells_of(printed(), "run")) == 8


def test_a_preset_of_an_earlier_release_is_known_by_its_name(printed, root):
    print_runs([records.run(config=CONFIG), records.run("x", config={"name": "mine"})], root)
    message = printed()
    assert cells_of(message, "20260301-120000")[2] == "fast"
    assert cells_of(message, "x")[2] == "-"


def test_a_long_file_name_is_cut(printed, root):
    print_runs([long_run(preset="a-configuration-of-mine.yaml")], root)
    assert cells_of(printed(), "20261130-120000-2")[2] == "a-configu..."


def test_an_ensemble_shows_its_members_and_all_epochs(printed, root):
    trainer = {"model": "compact", "epochs": 20, "folds": 5}
    print_runs([long_run(config={"trainer": trainer})], root)
    message = cells_of(printed(), "20261130-120000-2")
    assert (message[3:5], message[5]) == (["compact", "x5"], "12/100")


@pytest.mark.parametrize(
    "state", ["running", "finished", "refused", "failed", "interrupted", "killed"]
)
def test_every_state_has_its_word(printed, root, state):
    print_runs([records.run(state=state)], root)
    assert cells_of(printed(), "20260301-120000")[1] == state


def test_a_run_of_an_earlier_release_whose_model_was_refused_is_refused(printed, root):
    push = PushRecord(pushed=False, reason="its model_blessing says no")
    print_runs([records.run(push=push)], root)
    assert cells_of(printed(), "20260301-120000")[1] == "refused"


@pytest.mark.parametrize(
    "content",
    [
        {"id": "1"},
        {"id": "1", "state": "finished", "config": {"trainer": 3, "name": 7}},
        {"id": "1", "config": {"trainer": {"folds": "x", "epochs": "y", "model": [1]}}},
        {"id": "1", "config": {"trainer": {"folds": None, "epochs": 3, "model": None}}},
        {"id": "1", "evaluation": {"threshold": 0.5, "blessed": True}},
        {"id": "1", "evaluation": {"threshold": 0.5, "blessed": True, "slices": {"Overall": {}}}},
        {"id": "1", "evaluation": {"slices": 3}},
        {"id": "1", "evaluation": {}},
        {"id": "1", "components": [{"name": "Trainer", "state": "finished"}], "push": {}},
        {"id": "1", "state": "of a later release"},
        {
            "id": "1",
            "of a later release": 1,
            "components": [{"name": "T", "x": 1, "state": "cached"}],
        },
        [],
        None,
    ],
)
def test_whatever_a_record_holds_the_list_is_whole(printed, root, content):
    root.runs.mkdir()
    (root.runs / "1.json").write_text(json.dumps(content))
    (root.runs / "2.json").write_text(records.run("2").model_dump_json())
    print_runs(load_all(root.runs, None), root)
    message = printed()
    assert cells_of(message, "1")
    assert cells_of(message, "2")[1] == "finished"


def test_a_table_that_fits_leaves_nothing_out(capsys):
    console = Console(width=20, color_system=None)
    assert cells.print_fitting(console, ["a", "b"], [["1", "2"]], expendable=["b"]) == []
    assert capsys.readouterr().out.split() == ["a", "b", "1", "2"]


def test_an_escape_in_a_record_is_not_sent_to_the_terminal(printed, root):
    print_runs([RunRecord(id="20260301-1", preset="[red]\x1b[2J")], root)
    assert "\x1b" not in printed()
