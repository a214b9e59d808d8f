"""Output of `cxr evaluate`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.cli.output.cells import (
    FIGURES,
    counted,
    figure,
    new_table,
    print_table,
    short_path,
    standard_output,
)
from serving.analysis.corruptions import KINDS, STRENGTHS
from serving.analysis.findings import (
    FINDINGS,
    Comparison,
    Corruption,
    Drift,
    Estimate,
    Findings,
    Group,
    Probe,
    Shift,
    Triage,
)
from serving.evaluate.job import Evaluated
from serving.evaluate.writing import IMAGES
from serving.report.page import PAGE
from transform_module.text import count

_REFUSED_SHOWN = 5

_TRIAGE: Final = {
    "decided": "decided",
    "accuracy": "accuracy of these",
    "missed_pneumonia": "missed PNEUMONIA",
    "false_alarms": "false alarms",
}


def print_evaluated(evaluated: Evaluated, out: Path) -> None:
    """Prints the figures, by group too, and what else was found.

    Args:
        evaluated: what was found.
        out: the folder that it was written into.
    """
    console = standard_output()
    found = evaluated.findings
    overall, confusion = found.overall, found.confusion
    console.print(
        f"\n[bold]{escape(found.model)}[/] on {escape(found.data)}: "
        f"{count(overall.images, 'image')} of {count(overall.patients, 'patient')}"
    )
    for note in found.notes:
        console.print(f"[yellow]{escape(note)}[/]")
    _print_refused(console, evaluated)
    console.print()
    print_table(console, _figures(found))
    console.print(
        f"At the operating threshold {found.threshold:.3g} it finds "
        f"{confusion.true_positives:,} of {overall.positives:,} PNEUMONIA, and calls "
        f"{confusion.false_positives:,} of {overall.images - overall.positives:,} NORMAL so."
    )
    if found.comparison:
        _print_comparison(console, found.comparison)
    if found.triage:
        console.print()
        print_table(console, _triage(found.triage, found.record.get("triage", {})))
    for dimension, groups in found.slices.items():
        console.print()
        print_table(console, _groups(dimension, groups))
    if found.shifts:
        console.print()
        print_table(console, _shifts(found.shifts))
    if found.corruptions:
        for table in _corruptions(found.corruptions):
            console.print()
            print_table(console, table)
    console.print()
    print_table(console, _probes(found.probes))
    if found.drift:
        console.print()
        print_table(console, _drift(found.drift))
    if found.domain:
        console.print(
            f"\nOut of domain: {found.domain.flagged:,} of {found.domain.images:,} images, "
            f"{figure(found.domain.share.value)} {_interval(found.domain.share)}"
        )
    console.print(f"\nReport: {short_path(out / PAGE)}")
    console.print(f"All of it: {short_path(out / FINDINGS)}")
    console.print(f"Each image: {short_path(out / IMAGES)}")


def _print_refused(console: Console, evaluated: Evaluated) -> None:
    refused = evaluated.refused
    if not refused:
        return
    console.print(f"[yellow]Files that are not readable images: {len(refused):,}[/]")
    for name, reason in refused[:_REFUSED_SHOWN]:
        console.print(f"  {escape(name)}: {escape(reason)}")
    if len(refused) > _REFUSED_SHOWN:
        console.print(f"  and {len(refused) - _REFUSED_SHOWN:,} more, in {IMAGES}")


def _figures(found: Findings) -> Table:
    columns = ["all images", "", "95 % interval"]
    if found.comparison:
        columns += ["difference", "95 % interval"]
    table = new_table(*columns, right=range(1, len(columns)))
    for key, name in FIGURES.items():
        estimate: Estimate = getattr(found.overall, key)
        row = [name, figure(estimate.value), _interval(estimate)]
        if found.comparison:
            difference = found.comparison.differences[key]
            row += [_signed(difference.value), _interval(difference)]
        table.add_row(*row)
    return table


def _print_comparison(console: Console, comparison: Comparison) -> None:
    test = (
        "equal in AUC"
        if comparison.p_value is None
        else f"AUC {_signed(comparison.auc.value)}, {_interval(comparison.auc)}, "
        f"p = {comparison.p_value:.2g} by DeLong's test over patients"
    )
    console.print(f"Difference from {escape(comparison.against)}: {test}.")


def _triage(triage: Triage, allowed: Mapping[str, Any]) -> Table:
    table = new_table("triage", "", "95 % interval", "at most", right=range(1, 4))
    for key, name in _TRIAGE.items():
        estimate: Estimate = getattr(triage, key)
        table.add_row(name, figure(estimate.value), _interval(estimate), figure(allowed.get(key)))
    table.add_row("for review", counted(triage.review))
    return table


def _groups(dimension: str, groups: Sequence[Group]) -> Table:
    table = new_table(
        escape(dimension), "n", "AUC", "sensitivity", "specificity", right=range(1, 5)
    )
    for group in groups:
        table.add_row(
            escape(group.name),
            counted(group.images),
            *(_short(each) for each in (group.auc, group.sensitivity, group.specificity)),
        )
    return table


def _shifts(shifts: Sequence[Shift]) -> Table:
    table = new_table(
        *("shift", "n", "AUC", "change", "sensitivity", "specificity"), right=range(1, 6)
    )
    for shift in shifts:
        change = None if shift.auc_drop is None else -shift.auc_drop
        table.add_row(
            shift.kind,
            counted(shift.images),
            figure(shift.auc),
            _signed(change),
            figure(shift.sensitivity),
            figure(shift.specificity),
        )
    return table


def _corruptions(corruptions: Sequence[Corruption]) -> list[Table]:
    by_place = {(each.kind, each.strength): each for each in corruptions}
    strengths = [str(each) for each in STRENGTHS]
    auc = new_table("corruption (AUC)", "n", "intact", *strengths, right=range(1, 8))
    shares = new_table("sensitivity/specificity", *strengths, right=range(1, 6))
    for kind in KINDS:
        first, *rest = (by_place[kind, strength] for strength in STRENGTHS)
        before = None if first.auc is None else first.auc + (first.auc_drop or 0)
        auc.add_row(
            kind,
            counted(first.images),
            figure(before),
            *(figure(each.auc) for each in (first, *rest)),
        )
        shares.add_row(
            kind,
            *(f"{_two(each.sensitivity)}/{_two(each.specificity)}" for each in (first, *rest)),
        )
    return [auc, shares]


def _probes(probes: Sequence[Probe]) -> Table:
    table = new_table(
        *("shortcut", "AUC alone", "Spearman in NORMAL", "Spearman in PNEUMONIA"),
        right=range(1, 4),
    )
    for probe in probes:
        table.add_row(
            probe.name,
            figure(probe.alone),
            *(_correlation(each) for each in (probe.within_normal, probe.within_pneumonia)),
        )
    return table


def _drift(drift: Sequence[Drift]) -> Table:
    table = new_table(
        *("drift from training", "distance", "by chance", "mean trained on", "mean here"),
        right=range(1, 5),
    )
    for each in drift:
        table.add_row(
            each.name,
            *(figure(value) for value in (each.distance, each.chance)),
            *("-" if mean is None else f"{mean:.3g}" for mean in (each.trained, each.here)),
        )
    return table


def _interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return "-"
    return f"{estimate.low:.4f} to {estimate.high:.4f}"


def _short(estimate: Estimate) -> str:
    if estimate.value is None:
        return "-"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}            "
    return f"{estimate.value:.3f} {estimate.low:.3f}-{estimate.high:.3f}"


def _correlation(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "-"
    return f"{estimate.value:+.2f}, {estimate.low:+.2f} to {estimate.high:+.2f}"


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.4f}"


def _two(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
