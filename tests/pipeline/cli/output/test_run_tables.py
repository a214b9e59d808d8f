import json
import shlex
from pathlib import Path

from components.evaluator.evaluation import OVERALL, Metrics
from pipeline.cli.output.run_tables import print_run
from pipeline.root.root import Root
from pipeline.run_records.run_record import PushRecord, ReportRecord
from tests.pipeline import records
from tests.pipeline.printed import cells, tables

ROOT = Root(Path("/r"))


def test_a_run_ends_with_its_metrics_by_slice(printed):
    slices = {OVERALL: records.METRICS, "subtype:virus": Metrics(sensitivity=0.25)}
    print_run(records.run(evaluation=records.evaluation(slices=slices)), ROOT)
    message = printed()
    assert cells(message, "test") == ["test", "split", "Overall", "virus"]
    assert cells(message, "AUC") == ["AUC", "0.9877", "-"]
    assert cells(message, "sensitivity") == ["sensitivity", "0.9500", "0.2500"]
    assert cells(message, "images") == ["images", "1,234", "0"]
    assert tables(message)[0][10:14] == [
        "true positives       700       0",
        "false negatives       34       0",
        "true negatives       450       0",
        "false positives       50       0",
    ]


def test_the_pushed_models_metrics_are_beside(printed):
    print_run(records.run(evaluation=records.evaluation(baseline=Metrics(auc=0.5))), ROOT)
    message = printed()
    assert cells(message, "test") == ["test", "split", "Overall", "pushed", "before"]
    assert cells(message, "AUC") == ["AUC", "0.9877", "0.5000"]


def test_the_metrics_of_a_run_fit_a_terminal_of_80_columns(printed):
    slices = dict.fromkeys((OVERALL, "subtype:bacteria", "subtype:normal"), records.METRICS)
    slices["subtype:virus"] = records.METRICS
    outcome = records.evaluation(slices=slices, baseline=records.METRICS)
    print_run(records.run(evaluation=outcome), ROOT)
    assert max(map(len, tables(printed())[0])) <= 80


def test_a_blessed_run_shows_where_the_model_is_and_what_to_type_next(printed, tmp_path):
    (tmp_path / "test").mkdir()
    print_run(records.run(images=str(tmp_path)), ROOT)
    message = printed()
    assert "Blessed at the operating threshold 0.5." in message
    assert "Pushed as version 1772366400: /r/pushed/cxr/1772366400" in message
    assert f"\n  cxr predict /r/pushed/cxr {tmp_path}/test\n" in message
    assert "\n  cxr runs 20260301-120000 --root /r\n" in message


def test_what_to_type_next_names_a_folder_that_is_there(printed, tmp_path):
    print_run(records.run(images=str(tmp_path)), ROOT)
    assert f"\n  cxr predict /r/pushed/cxr {tmp_path}\n" in printed()


def test_what_to_type_next_is_quoted_for_a_shell(printed, tmp_path):
    images = tmp_path / "it's [red]mine"
    images.mkdir()
    root = Root(Path("/r r"))
    push = PushRecord(pushed=True, version="1", path="/r r/pushed/cxr/1")
    print_run(records.run(images=str(images), push=push), root)
    message = printed()
    given = shlex.split(next(line for line in message.splitlines() if " predict " in line))
    assert given == ["cxr", "predict", "/r r/pushed/cxr", str(images)]
    assert "cxr runs 20260301-120000 --root '/r r'" in message
    assert "tensorboard --logdir '/r r/artifacts/Trainer/model_run'" in message


def test_paths_are_reported_from_the_working_directory(printed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    push = PushRecord(pushed=True, version="1", path=str(tmp_path / "root/pushed/cxr/1"))
    print_run(records.run(push=push), ROOT)
    assert "Pushed as version 1: root/pushed/cxr/1\n" in printed()


def test_a_refused_run_shows_every_reason_and_the_push(printed):
    refused = records.evaluation(blessed=False, reasons=["AUC [0.7] is low", "no [b]luck[/b]"])
    push = PushRecord(pushed=False, reason="its model_blessing says no")
    print_run(records.run(evaluation=refused, push=push), ROOT)
    assert tables(printed())[-1][-4:] == [
        "Not blessed:",
        "  AUC [0.7] is low",
        "  no [b]luck[/b]",
        "The model is not pushed: its model_blessing says no.",
    ]


def test_the_reasons_of_a_refusal_are_printed_once(printed):
    reasons = ["AUC 0.7 is below the floor 0.9", "sensitivity 0.5 is low; see [a]"]
    push = PushRecord(pushed=False, reason="; ".join(["its model_blessing says no", *reasons]))
    refused = records.evaluation(blessed=False, reasons=reasons)
    print_run(records.run(evaluation=refused, push=push), ROOT)
    message = printed()
    assert [message.count(reason) for reason in reasons] == [1, 1]
    assert message.endswith("The model is not pushed: its model_blessing says no.\n")


def test_a_run_ends_by_naming_its_page_and_its_card(printed):
    report = ReportRecord(page="/r/reports/x.html", card="/r/reports/x.md")
    print_run(records.run(report=report), ROOT)
    assert tables(printed())[-1] == ["Report: /r/reports/x.html", "Card:   /r/reports/x.md"]


def test_a_run_without_a_report_shows_why(printed):
    print_run(records.run(report=ReportRecord(reason="[disk] full")), ROOT)
    assert tables(printed())[-1] == ["There is no report: [disk] full"]


def test_a_profiled_run_shows_where_its_profile_is(printed):
    trainer = records.component(outputs={"model_run": ["/r/artifacts/Trainer/model_run/5"]})
    print_run(records.run(timeline="/r/timelines/x.svg", components=[trainer]), ROOT)
    assert tables(printed())[-1] == [
        "Timeline: /r/timelines/x.svg",
        "Training: tensorboard --logdir /r/artifacts/Trainer/model_run/5",
        "          (its tab Profile needs: pip install tensorboard-plugin-profile)",
    ]


def test_a_profiled_run_without_a_training_shows_its_timeline_alone(printed):
    print_run(records.run(timeline="/r/timelines/x.svg", components=[]), ROOT)
    assert tables(printed())[-1] == ["Timeline: /r/timelines/x.svg"]


def test_notes_are_reported(printed):
    print_run(records.run(evaluation=records.evaluation(notes=["Without [a] baseline."])), ROOT)
    assert "\nWithout [a] baseline.\n" in printed()


def test_a_shown_run_shows_its_components(printed):
    print_run(records.run(), ROOT, lineage=True)
    message = printed()
    assert "Run 20260301-120000, finished, local orchestrator, 83 s, from 2026-03-01 12:00:00" in (
        message
    )
    assert cells(message, "ImportExampleGen") == ["ImportExampleGen", "cached", "12.3", "1.0"]
    assert cells(message, "Trainer")[2:] == ["12.3", "1.0", "first", "time"]


def test_a_shown_run_shows_what_its_tuner_tried_the_best_first(printed, tmp_path):
    trials = [
        {"trial_id": "1", "score": 0.98765, "compact.filters": "[8, 16]", "learning_rate": 0.00123},
        {"trial_id": "0", "score": 0.9, "compact.filters": "[8]", "learning_rate": 0.01},
    ]
    (tmp_path / "tuner_results.json").write_text(json.dumps(trials))
    tuner = records.component("Tuner", outputs={"tuner_results": [str(tmp_path)]})
    print_run(records.run(components=[tuner]), ROOT, lineage=True)
    (table,) = (each for each in tables(printed()) if each[0].startswith("trial"))
    assert [" ".join(line.split()) for line in table] == [
        "trial score compact.filters learning_rate",
        "2 0.9877 [8, 16] 0.00123",
        "1 0.9000 [8] 0.01",
    ]


def test_a_shown_run_shows_the_way_from_the_model_back_to_the_data(printed):
    print_run(records.run(), ROOT, lineage=True)
    (lineage,) = (block for block in tables(printed()) if block[0] == "lineage")
    assert [line.split()[-1] for line in lineage[1:6]] == [
        "/r/pushed/cxr/1772366400",
        "/r/model/5",
        "/r/examples/1",
        "f" * 64,
        "/images",
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
    message = printed()
    assert "failed, local" in message
    assert "\nOSError: [Errno 28] No space [/red] left\n" in message
    assert "Log: /r/logs/x.log" in message


def test_tables_that_follow_each_other_are_parted_by_an_empty_line(printed):
    print_run(records.run(), ROOT, lineage=True)
    heads = [block[0].split()[0] for block in tables(printed())]
    assert heads == ["Run", "test", "lineage", "Next:"]
