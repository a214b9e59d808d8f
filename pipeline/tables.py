"""What commands print for people at their end."""

import csv
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from components.evaluation import OVERALL
from components.images.dataset import QUARANTINE_FILE, Dataset
from components.images.summary import COLUMNS, rows
from components.synthetic.generate import SyntheticSet
from pipeline.root import Root
from pipeline.run_record import ComponentRecord, RunRecord
from serving.predict import Prediction
from transform_module.features import SPLITS

_METRICS = ("auc", "pr_auc", "accuracy", "sensitivity", "specificity", "ece", "brier")
_CONFUSION = ("true_positives", "false_negatives", "true_negatives", "false_positives")
_STATES = {
    "finished": "[green]finished[/]",
    "cached": "[green]cached[/]",
    "failed": "[red]failed[/]",
    "killed": "[red]killed[/]",
    "running": "[yellow]running[/]",
}


def print_run(record: RunRecord, root: Root, *, lineage: bool = False) -> None:
    """Prints a run: metrics by slice, blessing, where the model is, what to type next.

    Args:
      record: The run.
      root: Where it ran.
      lineage: Whether to print its components and where the model comes from, too.
    """
    console = _console()
    if lineage:
        console.print(
            f"\nRun {record.id}, {_STATES[record.state]}, {record.orchestrator} orchestrator, "
            f"{record.seconds:.0f} s, from {record.started.replace('T', ' ')}"
        )
        if record.error:
            console.print(f"[red]{escape(record.error)}[/]")
        _print_components(console, record.components)
    if record.evaluation:
        _print_evaluation(console, record.evaluation)
    if lineage:
        _print_lineage(console, record)
    if record.push:
        _print_push(console, record, root)
    if lineage:
        console.print(f"Log: {escape(record.log)}")


def print_runs(records: Sequence[RunRecord], root: Root) -> None:
    """Prints one line a run."""
    table = _table(
        *("run", "state", "orchestrator", "seconds", "ran", "cached", "AUC", "pushed"),
        right=range(3, 8),
    )
    for record in records:
        states = [component.state for component in record.components]
        overall = (record.evaluation or {}).get("slices", {}).get(OVERALL, {})
        pushed = record.push.version if record.push and record.push.pushed else "-"
        table.add_row(
            record.id,
            _STATES[record.state],
            record.orchestrator,
            f"{record.seconds:.0f}",
            str(states.count("finished")),
            str(states.count("cached")),
            _number(overall.get("auc")),
            pushed,
        )
    console = _console()
    _print_table(console, table)
    console.print(f"Show one: cxr runs {records[-1].id} --root {_short(root.path)}")


def print_dataset(dataset: Dataset, out: Path) -> None:
    """Prints where every file went, what the splits hold and why files were kept out."""
    console = _console()
    table = _table(*COLUMNS, right=range(2, len(COLUMNS)))
    *body, total = rows(dataset)
    for row in body:
        table.add_row(*(_count(value) for value in row))
    table.add_row(*(_count(value) for value in total), style="bold")
    _print_table(console, table)
    table = _table("split", "class", "subtype", "pictures", "patients", right=(3, 4))
    for split in SPLITS:
        for count in dataset.splits:
            if count.split == split:
                table.add_row(
                    split,
                    count.label,
                    count.subtype,
                    _count(count.pictures),
                    _count(count.patients),
                )
    console.print()
    _print_table(console, table)
    if dataset.quarantine_reasons:
        table = _table("why quarantined", "files", right=(1,))
        for reason, files in dataset.quarantine_reasons.items():
            table.add_row(escape(reason), _count(files))
        console.print()
        _print_table(console, table)
        console.print(f"Each file with its reason: {_short(out / QUARANTINE_FILE)}")
    console.print()
    if dataset.dropped_patients:
        console.print(
            f"Dropped from train and val: {len(dataset.dropped_patients)} patients that stand in "
            "test too."
        )
    for split, label in dataset.missing:
        console.print(f"[yellow]The split {split} holds no {label}.[/]")
    console.print(f"Fingerprint {dataset.fingerprint[:16]}, written to {_short(out)}")


def print_synthetic(made: SyntheticSet, out: Path) -> None:
    """Prints what a synthetic set holds."""
    console = _console()
    labels = sorted({label for counts in made.pictures.values() for label in counts})
    table = _table("folder", *labels, right=range(1, 1 + len(labels)))
    for folder, counts in made.pictures.items():
        table.add_row(folder, *(_count(counts.get(label, 0)) for label in labels))
    _print_table(console, table)
    console.print(f"{made.patients} patients, and {len(made.broken)} files broken on purpose:")
    for path, what in made.broken.items():
        console.print(f"  {escape(path)}: {escape(what)}")
    console.print(f"\nNext: cxr run --images {_short(out)}")


def print_predictions(predictions: Sequence[Prediction]) -> None:
    """Prints one line a file."""
    table = _table("picture", "probability", "label", "reason", right=(1,))
    for each in predictions:
        probability = "-" if each.probability is None else f"{each.probability:.4f}"
        table.add_row(escape(each.path), probability, each.label, escape(each.reason))
    console = _console()
    _print_table(console, table)
    bad = sum(not each.valid for each in predictions)
    if bad:
        console.print(f"{bad} of {len(predictions)} files are no usable pictures.")


def write_csv(predictions: Sequence[Prediction], file: TextIO) -> None:
    """Writes one row a file, under a header."""
    writer = csv.DictWriter(file, list(Prediction.__dataclass_fields__), lineterminator="\n")
    writer.writeheader()
    writer.writerows(vars(each) for each in predictions)


def _print_components(console: Console, components: Sequence[ComponentRecord]) -> None:
    table = _table("component", "state", "seconds", "peak GB", "why not cached", right=(2, 3))
    for each in components:
        table.add_row(
            each.name,
            _STATES[each.state],
            f"{each.seconds:.1f}",
            f"{each.peak_memory / 1e9:.1f}",
            escape(each.why),
        )
    _print_table(console, table)


def _print_evaluation(console: Console, evaluation: dict[str, Any]) -> None:
    table = _table("test split", "pictures", *_METRICS, "TP/FN/TN/FP", right=range(1, 10))
    baseline = {"pushed before": evaluation["baseline"]} if evaluation["baseline"] else {}
    for name, metrics in {**evaluation["slices"], **baseline}.items():
        confusion = "/".join(str(metrics[key]) for key in _CONFUSION)
        figures = [_number(metrics[key]) for key in _METRICS]
        table.add_row(escape(name), _count(metrics["examples"]), *figures, confusion)
    console.print()
    _print_table(console, table)
    for note in evaluation["notes"]:
        console.print(f"[dim]{escape(note)}[/]")
    if evaluation["blessed"]:
        console.print(f"[green]Blessed[/] at the operating threshold {evaluation['threshold']:g}.")
    else:
        console.print("[red]Not blessed:[/]")
        for reason in evaluation["reasons"]:
            console.print(f"  {escape(reason)}")


def _print_lineage(console: Console, record: RunRecord) -> None:
    """Prints the way from the pushed model back to the data."""
    steps = [
        ("pushed model", record.push.path if record.push else ""),
        ("model", _artifact(record, "Trainer", "model")),
        ("transform graph", _artifact(record, "Transform", "transform_graph")),
        ("examples", _artifact(record, "ImportExampleGen", "examples")),
        ("dataset", record.dataset_fingerprint),
        ("pictures", record.images),
    ]
    table = _table("lineage", "")
    for name, place in steps:
        if place:
            table.add_row(name, _short(Path(place)) if place.startswith("/") else place)
    console.print()
    _print_table(console, table)


def _print_push(console: Console, record: RunRecord, root: Root) -> None:
    push = record.push
    if push is None:
        return
    if not push.pushed:
        console.print(f"The model is not pushed: {escape(push.reason)}.")
        return
    model, images = _short(Path(push.path)), Path(record.images)
    pictures = images / "test" if (images / "test").is_dir() else images
    console.print(f"[green]Pushed[/] as version {push.version}: {model}")
    console.print(
        "\nNext:\n"
        f"  cxr predict {_short(Path(push.path).parent)} {_short(pictures)}\n"
        f"  cxr runs {record.id} --root {_short(root.path)}\n"
        f"  tensorboard --logdir {_short(root.artifacts)}/Trainer/model_run"
    )


def _artifact(record: RunRecord, component: str, channel: str) -> str:
    found = record.component(component)
    return next(iter(found.outputs.get(channel, [])), "") if found else ""


def _table(*columns: str, right: Collection[int] = ()) -> Table:
    """A table whose columns at the indices `right` hold numbers."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for index, column in enumerate(columns):
        table.add_column(
            column, justify="right" if index in right else "left", overflow="fold", no_wrap=False
        )
    return table


def _print_table(console: Console, table: Table) -> None:
    """Prints a table without the blanks that fill up its last column."""
    for line in console.render_lines(table, pad=False):
        text = Text.assemble(*((part.text, part.style or "") for part in line))
        text.rstrip()
        console.print(text)


def _console() -> Console:
    """Standard output; in a pipe or a file a table is as wide as it needs to be."""
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console = Console(highlight=False, soft_wrap=True, width=10_000)
    return console


def _short(path: Path) -> str:
    """A path from the working directory, if it lies in it; as markup."""
    try:
        return escape(str(path.relative_to(Path.cwd())))
    except ValueError:
        return escape(str(path))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _count(value: int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else value
