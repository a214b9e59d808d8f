"""The table of all runs under a root."""

from collections.abc import Sequence
from typing import Any, Final

from rich.markup import escape

from components.evaluator.evaluation import OVERALL
from pipeline.cli.output.cells import (
    argument,
    command,
    counted,
    figure,
    print_fitting,
    standard_output,
)
from pipeline.config.presets import presets
from pipeline.root.root import Root
from pipeline.run_records.run_record import COMPLETE, RunRecord
from transform_module.text import printable

STATES: Final = {
    "finished": "[green]finished[/]",
    "cached": "[green]cached[/]",
    "refused": "[red]refused[/]",
    "failed": "[red]failed[/]",
    "interrupted": "[yellow]interrupted[/]",
    "killed": "[red]killed[/]",
    "damaged": "[red]damaged[/]",
    "running": "[yellow]running[/]",
}
_COLUMNS: Final = ("run", "state", "preset", "model", "epochs", "images", "AUC", "pushed")
_NUMBERS: Final = ("epochs", "images", "AUC", "pushed")
_EXPENDABLE: Final = ("epochs", "images", "pushed", "preset", "model")
_LONGEST: Final = 12
"""Characters of a file's name."""


def print_runs(records: Sequence[RunRecord], root: Root) -> None:
    """Prints one line a run, as many columns as fit."""
    console = standard_output()
    left_out = print_fitting(
        console, _COLUMNS, [_row(each) for each in records], right=_NUMBERS, expendable=_EXPENDABLE
    )
    for record in records:
        if record.state == "damaged":
            console.print(f"[red]{escape(record.error)}[/]")
    if left_out:
        console.print(f"[dim]Not shown at this width: {', '.join(left_out)}.[/]")
    where = f"--root {argument(root.path)}"
    console.print(f"Show one: {command()} runs {escape(records[-1].id)} {where}")
    whole = [each.id for each in records if each.state in COMPLETE]
    if len(whole) > 1:
        console.print(f"Compare two: {command()} runs {' '.join(map(escape, whole[-2:]))} {where}")


def preset_of(record: RunRecord) -> str:
    """Returns the preset, or the file's name, that a run was configured by."""
    name = str(record.config.get("name", ""))
    # Earlier releases kept only the name in the configuration.
    return record.preset or (name if name in presets() else "")


def model_of(record: RunRecord) -> str:
    """Returns the model's name, with the number of members of an ensemble."""
    trainer = _trainer(record)
    model, folds = str(trainer.get("model", "")), trainer.get("folds", 1)
    return f"{model} x{folds}" if model and folds != 1 else model


def epochs_of(record: RunRecord) -> str:
    """Returns the epochs that were trained, of those that were allowed."""
    trainer = _trainer(record)
    most = trainer.get("epochs")
    if not isinstance(most, int):
        return ""
    folds = trainer.get("folds", 1)
    done = record.training.epochs if record.training else None
    return f"{'-' if done is None else done}/{most * (folds if isinstance(folds, int) else 1)}"


def _row(record: RunRecord) -> list[str]:
    overall = (record.evaluation or {}).get("slices", {}).get(OVERALL, {})
    images = record.data.images if record.data else 0
    cells = [
        record.id,
        _shortened(preset_of(record)),
        _shortened(model_of(record)),
        epochs_of(record),
        counted(images) if images else "",
        figure(overall.get("auc")),
        record.push.version if record.push and record.push.pushed else "",
    ]
    identity, *others = (escape(printable(cell)) or "-" for cell in cells)
    return [identity, STATES[record.state], *others]


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _trainer(record: RunRecord) -> dict[str, Any]:
    trainer = record.config.get("trainer")
    return trainer if isinstance(trainer, dict) else {}
