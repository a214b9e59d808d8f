"""Two runs side by side: configuration, data and figures."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from components.evaluator.evaluation import OVERALL
from pipeline.cli.output.cells import FIGURES
from pipeline.component_ids import REPORT
from pipeline.root.root import Root
from pipeline.run_records.run_list import epochs_of, model_of, preset_of
from pipeline.run_records.run_record import RunRecord, differences
from serving.analysis import findings
from serving.analysis.findings import Estimate, Findings
from transform_module.contract import LABELS, SPLITS
from transform_module.errors import UserError


class Row(NamedTuple):
    """What both runs have of one thing; an empty text where one has none of it."""

    name: str
    first: str
    second: str


class Comparison(NamedTuple):
    """What differs between two runs, and what both reached.

    Attributes:
        runs: their ids.
        outcome: state, preset, model, training, push.
        configuration: the keys that differ.
        data: images by split and label, patients, fingerprint.
        figures: on each run's own test split, with 95 % intervals where the run reported them.
    """

    runs: tuple[str, str]
    outcome: list[Row]
    configuration: list[Row]
    data: list[Row]
    figures: list[Row]


def compare(first: RunRecord, second: RunRecord, root: Root) -> Comparison:
    """Compares two runs.

    Args:
        first: one.
        second: another.
        root: where both ran.
    """
    changed = differences(first.config, second.config)
    return Comparison(
        (first.id, second.id),
        _rows(_outcome(first), _outcome(second)),
        [Row(key, _as_text(before), _as_text(after)) for key, before, after in changed],
        _rows(_data(first), _data(second)),
        _rows(_figures(first, root), _figures(second, root)),
    )


def to_json(comparison: Comparison) -> dict[str, Any]:
    """Returns the comparison as JSON has it: a list of rows for each part."""
    return {
        name: [row._asdict() for row in value] if name != "runs" else list(value)
        for name, value in comparison._asdict().items()
    }


def is_same_data(comparison: Comparison) -> bool:
    """Returns whether both runs had the same examples, so that their figures can be compared."""
    return any(
        row.name == "fingerprint" and row.first and row.first == row.second
        for row in comparison.data
    )


def _rows(first: dict[str, str], second: dict[str, str]) -> list[Row]:
    names = dict.fromkeys((*first, *second))
    rows = (Row(name, first.get(name, ""), second.get(name, "")) for name in names)
    return [row for row in rows if row.first or row.second]


def _outcome(record: RunRecord) -> dict[str, str]:
    training = record.training
    return {
        "state": record.state,
        "preset": preset_of(record),
        "model": model_of(record),
        "parameters": f"{training.parameters:,}" if training and training.parameters else "",
        "epochs": epochs_of(record),
        "seconds": f"{record.seconds:.0f}",
        "pushed": record.push.version if record.push and record.push.pushed else "",
    }


def _data(record: RunRecord) -> dict[str, str]:
    facts = {"folder": Path(record.images).name}
    if data := record.data:
        facts["images"] = f"{data.images:,}"
        for split in SPLITS:
            for label in LABELS:
                facts[f"{split} {label}"] = f"{data.splits.get(split, {}).get(label, 0):,}"
        if data.patients_known is not None and data.patients_of is not None:
            facts["patients known"] = f"{data.patients_known:,} of {data.patients_of:,}"
        facts |= {
            name: f"{number:,}"
            for name, number in (
                ("quarantined", data.quarantined),
                ("skipped", data.skipped),
                ("dropped", data.dropped),
            )
        }
    facts["fingerprint"] = record.dataset_fingerprint[:16]
    return facts


def _figures(record: RunRecord, root: Root) -> dict[str, str]:
    evaluation = record.evaluation
    if not evaluation:
        return {}
    overall = evaluation["slices"].get(OVERALL, {})
    with_interval = dict(_estimates(_findings(record, root)))
    facts = {"test images": f"{overall['examples']:,}" if overall else ""}
    for key, name in FIGURES.items():
        value = overall.get(key)
        facts[name] = with_interval.get(key) or ("" if value is None else f"{value:.4f}")
    facts["threshold"] = f"{evaluation['threshold']:.3f}"
    return facts


def _estimates(found: Findings | None) -> Iterator[tuple[str, str]]:
    if found is None:
        return
    for key in FIGURES:
        estimate: Estimate = getattr(found.overall, key)
        if estimate.value is None:
            continue
        text = f"{estimate.value:.4f}"
        if estimate.low is not None and estimate.high is not None:
            text += f" ({estimate.low:.4f}-{estimate.high:.4f})"
        yield key, text


def _findings(record: RunRecord, root: Root) -> Findings | None:
    """Reads what the run's report found; None where it is gone, as `cxr clean` removes it."""
    report = record.component(REPORT)
    made = report.outputs.get("report") if report else None
    if not made:
        return None
    try:
        return findings.read(root.artifact(made[0]) / findings.FINDINGS)
    except UserError:
        return None


def _as_text(value: Any) -> str:
    """Returns a value as it would be given to `--set`."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
