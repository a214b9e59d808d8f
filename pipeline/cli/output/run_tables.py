"""Output of the commands about a run."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape

from pipeline.cli.output.cells import (
    argument,
    command,
    counted,
    figure,
    new_table,
    print_table,
    short_path,
    standard_output,
)
from pipeline.component_ids import EXAMPLE_GEN, TRAINER, TRANSFORM, TUNER
from pipeline.root.root import Root
from pipeline.run_records import tensorboard
from pipeline.run_records.run_list import STATES
from pipeline.run_records.run_record import ComponentRecord, ReportRecord, RunRecord

_METRICS: Final = {
    "auc": "AUC",
    "pr_auc": "PR-AUC",
    "accuracy": "accuracy",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "calibration": "calibration",
    "ece": "ECE",
    "brier": "Brier score",
}
_COUNTS: Final = {
    "examples": "images",
    "true_positives": "true positives",
    "false_negatives": "false negatives",
    "true_negatives": "true negatives",
    "false_positives": "false positives",
}
# TFX's file of a Tuner's trials, and the keys in it that are not settings.
_TRIALS: Final = "tuner_results.json"
_TRIAL: Final = "trial_id"
_SCORE: Final = "score"


def print_run(record: RunRecord, root: Root, *, lineage: bool = False) -> None:
    """Prints a run: metrics by slice, blessing, where the model is, what to type next.

    Args:
        record: the run.
        root: where it ran.
        lineage: whether to print its components and where the model comes from, too.
    """
    console = standard_output()
    if record.state == "damaged":
        console.print(f"[red]{escape(record.error)}[/]")
        return
    if lineage:
        console.print(
            f"\nRun {escape(record.id)}, {STATES[record.state]}, "
            f"{record.orchestrator} orchestrator, {record.seconds:.0f} s, "
            f"from {escape(record.started.replace('T', ' '))}"
        )
        if record.error:
            console.print(f"[red]{escape(record.error)}[/]")
        _print_components(console, record.components)
    if record.evaluation:
        print_evaluation(console, record.evaluation)
    if lineage:
        _print_trials(console, record)
        _print_lineage(console, record)
    if record.push:
        _print_push(console, record, root)
    if record.report:
        _print_report(console, record.report)
    if record.timeline:
        _print_profile(console, record, root)
    if lineage:
        console.print(f"Log: {escape(record.log)}")


def _print_components(console: Console, components: Sequence[ComponentRecord]) -> None:
    table = new_table("component", "state", "seconds", "peak GB", "why not cached", right=(2, 3))
    for each in components:
        table.add_row(
            each.name,
            STATES[each.state],
            f"{each.seconds:.1f}",
            f"{each.peak_memory / 1e9:.1f}",
            escape(each.why),
        )
    print_table(console, table)


def print_evaluation(console: Console, evaluation: dict[str, Any]) -> None:
    """Prints the metrics by slice, and whether the model is blessed."""
    columns = {name.partition(":")[2] or name: m for name, m in evaluation["slices"].items()}
    if evaluation["baseline"]:
        columns["pushed before"] = evaluation["baseline"]
    table = new_table(
        "test split", *(escape(name) for name in columns), right=range(1, 1 + len(columns))
    )
    for key, name in _METRICS.items():
        table.add_row(name, *(figure(metrics.get(key)) for metrics in columns.values()))
    for key, name in _COUNTS.items():
        table.add_row(name, *(counted(metrics.get(key, 0)) for metrics in columns.values()))
    console.print()
    print_table(console, table)
    for note in evaluation["notes"]:
        console.print(f"[dim]{escape(note)}[/]")
    if evaluation["blessed"]:
        console.print(
            f"[green]Blessed[/] at the operating threshold {evaluation['threshold']:.3g}."
        )
    else:
        console.print("[red]Not blessed:[/]")
        for reason in evaluation["reasons"]:
            console.print(f"  {escape(reason)}")


def _print_trials(console: Console, record: RunRecord) -> None:
    """Prints what a Tuner tried, the best first."""
    file = Path(_artifact(record, TUNER, "tuner_results") or "none") / _TRIALS
    trials = json.loads(file.read_text()) if file.exists() else []
    if not trials:
        return
    keys = [key for key in trials[0] if key not in (_TRIAL, _SCORE)]
    table = new_table("trial", "score", *keys, right=range(1, 2 + len(keys)))
    for trial in trials:
        values = (trial.get(key) for key in keys)
        cells = (f"{each:.3g}" if isinstance(each, float) else str(each) for each in values)
        table.add_row(str(int(trial[_TRIAL]) + 1), f"{trial[_SCORE]:.4f}", *map(escape, cells))
    console.print()
    print_table(console, table)


def _print_lineage(console: Console, record: RunRecord) -> None:
    """Prints the way from the pushed model back to the data."""
    steps = [
        ("pushed model", record.push.path if record.push else ""),
        ("model", _artifact(record, TRAINER, "model")),
        ("trials", _artifact(record, TUNER, "tuner_results")),
        ("transform graph", _artifact(record, TRANSFORM, "transform_graph")),
        ("examples", _artifact(record, EXAMPLE_GEN, "examples")),
        ("dataset", record.dataset_fingerprint),
        ("images", record.images),
    ]
    table = new_table("lineage", "")
    for name, place in steps:
        if place:
            table.add_row(name, short_path(Path(place)) if place.startswith("/") else place)
    console.print()
    print_table(console, table)


def _print_push(console: Console, record: RunRecord, root: Root) -> None:
    push = record.push
    if push is None:
        return
    if not push.pushed:
        reason = push.reason
        for printed in (record.evaluation or {}).get("reasons", ()):
            reason = reason.replace(f"; {printed}", "")
        console.print(f"The model is not pushed: {escape(reason)}.")
        return
    model, images = short_path(Path(push.path)), Path(record.images)
    to_predict = images / "test" if (images / "test").is_dir() else images
    console.print(f"[green]Pushed[/] as version {push.version}: {model}")
    console.print(
        "\nNext:\n"
        f"  {command()} predict {argument(Path(push.path).parent)} {argument(to_predict)}\n"
        f"  {command()} runs {record.id} --root {argument(root.path)}\n"
        f"  {tensorboard.command(root)}"
    )


def _print_report(console: Console, report: ReportRecord) -> None:
    if report.page:
        console.print(
            f"\nReport: {short_path(Path(report.page))}\nCard:   {short_path(Path(report.card))}"
        )
    else:
        console.print(f"\n[yellow]There is no report:[/] {escape(report.reason)}")


def _print_profile(console: Console, record: RunRecord, root: Root) -> None:
    """Prints where the time is drawn, and how the profile of the training is looked at."""
    console.print(f"\nTimeline: {short_path(Path(record.timeline))}")
    if _artifact(record, TRAINER, "model_run"):
        console.print(
            f"Training: {tensorboard.command(root, record)}\n"
            "          [dim](its tab Profile needs: pip install tensorboard-plugin-profile)[/]"
        )


def _artifact(record: RunRecord, component: str, channel: str) -> str:
    found = record.component(component)
    return next(iter(found.outputs.get(channel, [])), "") if found else ""
