import json

import pytest
from rich.console import Console

from pipeline.cli.output import run_comparison_tables
from pipeline.cli.output.run_comparison_tables import print_comparison
from pipeline.config.config_file import load
from pipeline.root.root import Root
from pipeline.run_records.run_comparison import compare, is_same_data, to_json
from pipeline.run_records.run_record import DataRecord, TrainingRecord
from serving.analysis import findings
from serving.analysis.findings import Confusion, Estimate, Findings, Group
from tests.pipeline import records
from tests.pipeline.printed import cells, tables

DATA = DataRecord(
    splits={"train": {"NORMAL": 962, "PNEUMONIA": 2729}, "test": {"NORMAL": 156}},
    patients_known=5232,
    patients_of=5233,
    quarantined=3,
)


def run(identity, source="fast", overrides=(), **changes):
    config = load(source, overrides).model_dump(mode="json")
    made = {"config": config, "data": DATA, "training": TrainingRecord(epochs=9, parameters=293073)}
    return records.run(identity, **{**made, **changes})


@pytest.fixture
def root(tmp_path):
    return Root(tmp_path)


FIRST = run("20260301-120000", preset="fast")
SECOND = run(
    "20260302-120000",
    overrides=["trainer.epochs=5", "trainer.balance=none", "transform.contrast=none"],
)


def rows(part):
    return {row.name: (row.first, row.second) for row in part}


def reported(root, record, auc):
    """Gives a run a report, under its root of another time."""
    group = Group("all", 656, 300, 500, auc=auc, ece=Estimate(0.01))
    found = Findings(
        *("m", {}, "d", 0.5, 656, 0, group, {}, None, None, [], Confusion(1, 2, 3, 4), [])
    )
    folder = root.artifacts / "Report" / "report" / "9"
    folder.mkdir(parents=True)
    (folder / findings.FINDINGS).write_text(findings.to_json(found))
    made = records.component("Report", outputs={"report": ["/moved/artifacts/Report/report/9"]})
    return record.model_copy(update={"components": [made]})


def test_only_the_keys_that_differ_are_compared(root):
    assert rows(compare(FIRST, SECOND, root).configuration) == {
        "trainer.balance": ("class_weights", "none"),
        "trainer.epochs": ("20", "5"),
        "transform.contrast": ("percentile", "none"),
    }
    assert compare(FIRST, FIRST, root).configuration == []


def test_outcome_and_data_are_side_by_side(root):
    compared = compare(FIRST, SECOND, root)
    outcome, data = rows(compared.outcome), rows(compared.data)
    assert outcome["model"] == ("compact", "compact")
    assert outcome["epochs"] == ("9/20", "9/5")
    assert outcome["parameters"] == ("293,073", "293,073")
    assert data["train PNEUMONIA"] == ("2,729", "2,729")
    assert data["patients known"] == ("5,232 of 5,233", "5,232 of 5,233")
    assert data["quarantined"] == ("3", "3")
    assert data["images"] == ("3,847", "3,847")


def test_figures_have_the_intervals_of_the_report(root):
    first = reported(root, FIRST, Estimate(0.99, 0.98, 0.995))
    figures = rows(compare(first, SECOND, root).figures)
    assert figures["AUC"] == ("0.9900 (0.9800-0.9950)", "0.9877")
    assert figures["ECE"] == ("0.0100", "")
    assert figures["sensitivity"] == ("0.9500", "0.9500")
    assert figures["threshold"] == ("0.500", "0.500")


def test_a_report_that_is_damaged_or_gone_leaves_the_figures_without_intervals(root):
    first = reported(root, FIRST, Estimate(0.99, 0.98, 0.995))
    path = root.artifacts / "Report" / "report" / "9" / findings.FINDINGS
    path.write_text("{}")
    assert rows(compare(first, SECOND, root).figures)["AUC"] == ("0.9877", "0.9877")
    path.unlink()
    assert rows(compare(first, SECOND, root).figures)["AUC"] == ("0.9877", "0.9877")


def test_a_run_of_an_earlier_release_and_one_that_failed_can_be_compared(root):
    old = records.run("20250101-1", config={}, data=None)
    failed = run("20260303-1", evaluation=None, push=None, state="failed", components=[])
    compared = compare(old, failed, root)
    assert rows(compared.outcome)["state"] == ("finished", "failed")
    assert rows(compared.data)["images"] == ("", "3,847")
    assert rows(compared.figures)["AUC"] == ("0.9877", "")


def test_the_comparison_as_json_says_all_of_it(root):
    compared = json.loads(json.dumps(to_json(compare(FIRST, SECOND, root))))
    assert compared["runs"] == [FIRST.id, SECOND.id]
    assert {"name": "trainer.epochs", "first": "20", "second": "5"} in compared["configuration"]
    assert set(compared) == {"runs", "outcome", "configuration", "data", "figures"}


def test_figures_of_other_data_are_marked(root, printed):
    other = run("20260302-1", dataset_fingerprint="e" * 64)
    assert not is_same_data(compare(FIRST, other, root))
    print_comparison(compare(FIRST, other, root))
    assert "The data differs: the figures are not of the same images." in printed()
    print_comparison(compare(FIRST, SECOND, root))
    assert "The data differs" not in printed()


def test_the_tables_follow_each_other(root, printed):
    print_comparison(compare(FIRST, SECOND, root))
    message = printed()
    assert [block[0].split()[0] for block in tables(message)] == [
        "run",
        "configuration",
        "data",
        "test",
    ]
    assert cells(message, "trainer.epochs") == ["trainer.epochs", "20", "5"]
    assert cells(message, "run") == ["run", FIRST.id, SECOND.id]


def test_runs_of_one_configuration_say_so(root, printed):
    print_comparison(compare(FIRST, FIRST, root))
    assert "\nThe configuration is the same.\n" in printed()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_it_fits_a_terminal(root, printed, monkeypatch, width):
    console = Console(highlight=False, soft_wrap=True, width=width, color_system=None)
    monkeypatch.setattr(run_comparison_tables, "standard_output", lambda: console)
    first = reported(root, FIRST, Estimate(0.99, 0.98, 0.995))
    second = reported(Root(root.path / "other"), SECOND, Estimate(0.99, 0.98, 0.995))
    long = first.model_copy(update={"config": {**first.config, "images": "/a/long/path" * 9}})
    print_comparison(compare(long, second, root))
    message = printed()
    assert max(map(len, message.splitlines())) <= width
    assert cells(message, "run") == ["run", FIRST.id, SECOND.id]
    assert "0.9900 (0.9800-0.9950)" in message
