import csv
import io
from pathlib import Path

import pytest

from components.evaluation import OVERALL, Metrics
from components.synthetic.generate import SyntheticSet
from pipeline.root import Root
from pipeline.run_record import PushRecord
from pipeline.tables import (
    print_dataset,
    print_predictions,
    print_run,
    print_runs,
    print_synthetic,
    write_csv,
)
from serving.predict import Prediction
from tests.pipeline import records

ROOT = Root(Path("/r"))
PREDICTIONS = [
    Prediction("a/[b]/one.png", 0.98765, "PNEUMONIA", True),
    Prediction("a/two, really.png", None, "INVALID", False, "truncated [red]JPEG[/red]"),
]


@pytest.fixture
def printed(capsys):
    return lambda: capsys.readouterr().out


@pytest.fixture(autouse=True)
def lines_have_no_blanks_at_their_ends(monkeypatch):
    from rich.console import Console

    print_ = Console.print

    def checked(console, *objects, **options):
        with console.capture() as capture:
            print_(console, *objects, **options)
        text = capture.get()
        assert not any(line.endswith(" ") for line in text.splitlines())
        console.file.write(text)

    monkeypatch.setattr(Console, "print", checked)


def cells(text, first):
    """The cells of the one line that begins with a word."""
    (line,) = (line for line in text.splitlines() if line.split()[:1] == [first])
    return line.split()


def tables(text):
    """The blocks of lines between empty ones."""
    return [block.splitlines() for block in text.strip("\n").split("\n\n")]


def test_a_run_ends_with_its_metrics_by_slice(printed):
    print_run(records.run(), ROOT)
    figures = ["0.9877", "-", "0.9000", "0.9500", "0.8500", "-", "-", "700/34/450/50"]
    assert cells(printed(), OVERALL) == ["Overall", "1,234", *figures]


def test_the_pushed_models_metrics_stand_below(printed):
    print_run(records.run(evaluation=records.evaluation(baseline=Metrics(auc=0.5))), ROOT)
    assert cells(printed(), "pushed")[:4] == ["pushed", "before", "0", "0.5000"]


def test_a_blessed_run_tells_where_the_model_is_and_what_to_type_next(printed, tmp_path):
    (tmp_path / "test").mkdir()
    print_run(records.run(images=str(tmp_path)), ROOT)
    told = printed()
    assert "Blessed at the operating threshold 0.5." in told
    assert "Pushed as version 1772366400: /r/pushed/cxr/1772366400" in told
    assert f"\n  cxr predict /r/pushed/cxr {tmp_path}/test\n" in told
    assert "\n  cxr runs 20260301-120000 --root /r\n" in told


def test_what_to_type_next_names_a_folder_that_is_there(printed, tmp_path):
    print_run(records.run(images=str(tmp_path)), ROOT)
    assert f"\n  cxr predict /r/pushed/cxr {tmp_path}\n" in printed()


def test_paths_are_told_from_the_working_directory(printed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    push = PushRecord(pushed=True, version="1", path=str(tmp_path / "root/pushed/cxr/1"))
    print_run(records.run(push=push), ROOT)
    assert "Pushed as version 1: root/pushed/cxr/1\n" in printed()


def test_a_refused_run_tells_every_reason_and_the_push(printed):
    refused = records.evaluation(blessed=False, reasons=["AUC [0.7] is low", "no [b]luck[/b]"])
    push = PushRecord(pushed=False, reason="its model_blessing says no")
    print_run(records.run(evaluation=refused, push=push), ROOT)
    assert tables(printed())[-1][-4:] == [
        "Not blessed:",
        "  AUC [0.7] is low",
        "  no [b]luck[/b]",
        "The model is not pushed: its model_blessing says no.",
    ]


def test_notes_are_told(printed):
    print_run(records.run(evaluation=records.evaluation(notes=["Without [a] baseline."])), ROOT)
    assert "\nWithout [a] baseline.\n" in printed()


def test_a_shown_run_tells_its_components(printed):
    print_run(records.run(), ROOT, lineage=True)
    told = printed()
    assert "Run 20260301-120000, finished, local orchestrator, 83 s, from 2026-03-01 12:00:00" in (
        told
    )
    assert cells(told, "ImportExampleGen") == ["ImportExampleGen", "cached", "12.3", "1.0"]
    assert cells(told, "Trainer")[2:] == ["12.3", "1.0", "first", "time"]


def test_a_shown_run_tells_the_way_from_the_model_back_to_the_data(printed):
    print_run(records.run(), ROOT, lineage=True)
    (lineage,) = (block for block in tables(printed()) if block[0] == "lineage")
    assert [line.split()[-1] for line in lineage[1:6]] == [
        "/r/pushed/cxr/1772366400",
        "/r/model/5",
        "/r/examples/1",
        "f" * 64,
        "/pictures",
    ]


def test_a_run_that_failed_early_is_shown_with_its_error(printed):
    early = records.run(
        state="failed",
        components=[],
        evaluation=None,
        push=None,
        dataset_fingerprint="",
        error="OSError: [Errno 28] No space [/red] left",
    )
    print_run(early, ROOT, lineage=True)
    told = printed()
    assert "failed, local" in told
    assert "\nOSError: [Errno 28] No space [/red] left\n" in told
    assert "Log: /r/logs/x.log" in told


def test_tables_that_follow_each_other_are_parted_by_an_empty_line(printed):
    print_run(records.run(), ROOT, lineage=True)
    heads = [block[0].split()[0] for block in tables(printed())]
    assert heads == ["Run", "test", "lineage", "Next:"]


def test_each_run_is_one_line(printed):
    failed = records.run(
        "20260302-1", state="failed", components=[], evaluation=None, push=None, seconds=3
    )
    print_runs([records.run(), failed], ROOT)
    told = printed()
    assert cells(told, "20260301-120000")[1:] == [
        *("finished", "local", "83", "1", "1", "0.9877", "1772366400")
    ]
    assert cells(told, "20260302-1")[1:] == ["failed", "local", "3", "0", "0", "-", "-"]
    assert told.endswith("Show one: cxr runs 20260302-1 --root /r\n")


@pytest.mark.parametrize("state", ["running", "finished", "failed", "killed"])
def test_every_state_has_its_word(printed, state):
    print_runs([records.run(state=state)], ROOT)
    assert cells(printed(), "20260301-120000")[1] == state


def test_a_dataset_tells_where_every_file_went(printed):
    print_dataset(records.DATASET, Path("/out"))
    told = printed()
    counts = ["1,341", "1,072", "260", "0", "5", "1", "3"]
    assert tables(told)[0][1].split() == ["train", "NORMAL", *counts]
    assert cells(told, "total")[1:] == counts


def test_a_dataset_tells_what_its_splits_hold_in_their_order(printed):
    print_dataset(records.DATASET, Path("/out"))
    assert [line.split() for line in tables(printed())[1][1:]] == [
        ["train", "NORMAL", "normal", "1,072", "1,000"],
        ["eval", "NORMAL", "normal", "260", "240"],
    ]


def test_a_dataset_tells_why_files_were_kept_out(printed):
    print_dataset(records.DATASET, Path("/out"))
    told = printed()
    assert cells(told, "truncated") == ["truncated", "JPEG", "5"]
    assert "Each file with its reason: /out/quarantine.csv\n" in told
    assert "2 patients that stand in test too" in told
    assert "The split test holds no PNEUMONIA." in told
    assert f"Fingerprint {'f' * 16}, written to /out\n" in told


def test_a_clean_dataset_tells_of_no_quarantine(printed):
    print_dataset(records.DATASET.model_copy(update={"quarantine_reasons": {}}), Path("/out"))
    assert "quarantine.csv" not in printed()


def test_a_synthetic_set_tells_its_pictures_and_what_is_broken(printed):
    pictures = {"train": {"NORMAL": 1000, "PNEUMONIA": 20}, "test": {"NORMAL": 3}}
    print_synthetic(SyntheticSet(pictures, 400, {"train/x[1].jpeg": "text file"}), Path("/out"))
    told = printed()
    assert cells(told, "train") == ["train", "1,000", "20"]
    assert cells(told, "test") == ["test", "3", "0"]
    assert "400 patients, and 1 files broken on purpose:\n  train/x[1].jpeg: text file\n" in told
    assert told.endswith("\nNext: cxr run --images /out\n")


def test_each_file_is_one_line_with_its_answer_or_the_reason(printed):
    print_predictions(PREDICTIONS)
    assert [line.split() for line in printed().splitlines()[1:]] == [
        ["a/[b]/one.png", "0.9877", "PNEUMONIA"],
        ["a/two,", "really.png", "-", "INVALID", "truncated", "[red]JPEG[/red]"],
        ["1", "of", "2", "files", "are", "no", "usable", "pictures."],
    ]


def test_good_files_alone_are_not_counted_as_bad(printed):
    print_predictions(PREDICTIONS[:1])
    assert len(printed().splitlines()) == 2


def test_a_long_path_in_a_pipe_stays_on_its_line(printed):
    path = "x" * 500
    print_predictions([Prediction(path, 0.5, "NORMAL", True)])
    assert cells(printed(), path) == [path, "0.5000", "NORMAL"]


def test_csv_has_a_row_a_file_under_a_header():
    file = io.StringIO()
    write_csv(PREDICTIONS, file)
    header, *rows = csv.reader(io.StringIO(file.getvalue()))
    assert header == ["path", "probability", "label", "valid", "reason"]
    assert rows == [
        ["a/[b]/one.png", "0.98765", "PNEUMONIA", "True", ""],
        ["a/two, really.png", "", "INVALID", "False", "truncated [red]JPEG[/red]"],
    ]
