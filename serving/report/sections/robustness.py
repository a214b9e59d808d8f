"""Robustness: corrupted images, shortcuts, domain and drift."""

from itertools import groupby
from typing import Final

from serving.analysis.corruptions import BASELINE, mean_balanced_error
from serving.analysis.findings import Corruption, Domain, Drift, Findings, Probe, Shift
from serving.report.drawing.drawings import bar, interval, strengths
from serving.report.drawing.figure_text import MINUS, figure, signed, with_interval
from serving.report.drawing.figure_text import interval as span_of
from serving.report.drawing.html_tables import note, plot, section, table
from serving.report.drawing.markup import Markup, element, join
from transform_module.text import count

_CORRELATIONS: Final = (-1.0, 1.0)


def corruptions(findings: Findings) -> Markup:
    """Returns a curve for each kind of corruption, and a table."""
    ordered = sorted(findings.corruptions, key=lambda each: (each.kind, each.strength))
    kinds = {kind: list(found) for kind, found in groupby(ordered, lambda each: each.kind)}
    lines = {kind: _line(found) for kind, found in kinds.items()}
    values = [auc for line in lines.values() for _, auc in line]
    if not kinds:
        return Markup()
    # Chance is the floor of the scale, unless something is below it.
    least = max(0.0, min([0.5, *values]))
    drawn = [
        plot(kind.replace("_", " "), strengths(f"AUC by strength of {kind}", line, least))
        for kind, line in lines.items()
        if line
    ]
    images = max(each.images for each in ordered)
    return section(
        "corruptions",
        "Corruptions",
        note(
            f"AUC of {count(images, 'image')} of the test split by strength of the corruption, "
            "from 1 to 5; 0 is the original. Kinds and strengths are those of MedMNIST-C. Mean "
            f"balanced error: {figure(mean_balanced_error(ordered))}; its baseline, on other "
            f"images, has {figure(BASELINE)}."
        ),
        element("div", *drawn, class_="many") if drawn else None,
        element("details", element("summary", "All metrics"), _corruption_table(ordered)),
    )


def _line(found: list[Corruption]) -> list[tuple[int, float]]:
    known = [each for each in found if each.auc is not None]
    clean = [
        (0, each.auc + each.auc_drop)
        for each in known[:1]
        if each.auc is not None and each.auc_drop is not None
    ]
    return clean + [(each.strength, each.auc) for each in known if each.auc is not None]


def _corruption_table(ordered: list[Corruption]) -> Markup:
    return table(
        "Metrics by corruption and strength",
        ("corruption", "strength", "AUC", "change", "sensitivity", "specificity", "ECE"),
        [
            (
                each.kind.replace("_", " "),
                each.strength,
                *_figures(each),
            )
            for each in ordered
        ],
    )


def shifts(findings: Findings) -> Markup:
    """Returns a table of the figures on shifted images, the lowest AUC first."""
    found = findings.shifts
    if not found:
        return Markup()
    ordered = sorted(found, key=lambda each: 1.0 if each.auc is None else each.auc)
    return section(
        "shifts",
        "Shifted images",
        note(
            f"{count(found[0].images, 'image')} of the test split, changed as images of another "
            "hospital differ: framing, margins, resolution and sharpness, exposure; and softened "
            "in one class alone, which misleads a model that relies on sharpness. Change: from the "
            "AUC of the same images as they are."
        ),
        table(
            "Metrics by shift",
            ("shift", "AUC", "change", "sensitivity", "specificity", "ECE"),
            [(each.kind, *_figures(each)) for each in ordered],
        ),
    )


def _figures(shift: Shift) -> tuple[str, ...]:
    return (
        figure(shift.auc),
        signed(None if shift.auc_drop is None else -shift.auc_drop),
        figure(shift.sensitivity),
        figure(shift.specificity),
        figure(shift.ece),
    )


def probes(findings: Findings) -> Markup:
    """Returns the correlations of the prediction with quantities unrelated to the lungs."""
    # What is the same in all images cannot be a shortcut.
    varying = [
        each
        for each in findings.probes
        if any(value is not None for value in (each.alone, each.within_normal.value))
    ]
    if not varying:
        return Markup()

    def cell(probe: Probe, among: str) -> Markup:
        value = getattr(probe, among)
        if value.value is None:
            return Markup(figure(None))
        return join(
            element("strong", signed(value.value)),
            interval(value, _CORRELATIONS, mark=0.0),
            element("span", span_of(value, difference=True), class_="span"),
        )

    return section(
        "probes",
        "Shortcuts",
        note(
            "Quantities unrelated to the lungs, which a model may use as a shortcut. Alone: AUC of "
            "the quantity as a classifier in this data; 0.5 means no information. Within a class: "
            f"Spearman correlation of the quantity with the probability, from {MINUS}1 to 1; a "
            "value far from 0 means that the prediction may depend on it."
        ),
        table(
            "Correlation of the probability with other quantities",
            ("quantity", "alone, AUC", "within NORMAL", "within PNEUMONIA"),
            [
                (
                    each.name,
                    figure(each.alone),
                    cell(each, "within_normal"),
                    cell(each, "within_pneumonia"),
                )
                for each in varying
            ],
        ),
    )


def domain_and_drift(findings: Findings) -> Markup:
    """Returns the share out of domain, and the drift from the training data."""
    return section(
        "shift",
        "Domain and drift",
        _domain(findings.domain) if findings.domain else None,
        _drift(findings.drift) if findings.drift else None,
    )


def _domain(domain: Domain) -> Markup:
    return element(
        "p",
        f"{domain.flagged:,} of {count(domain.images, 'image')} "
        f"{'was' if domain.flagged == 1 else 'were'} flagged as out of domain: a share of "
        f"{with_interval(domain.share)}.",
    )


def _drift(drifts: list[Drift]) -> Markup:
    ordered = sorted(drifts, key=lambda each: -each.distance)
    return join(
        table(
            "Drift from the training data",
            ("quantity", "distance", "", "by chance", "mean in training", "mean here"),
            [
                (
                    each.name,
                    figure(each.distance),
                    bar(each.distance),
                    figure(each.chance),
                    figure(each.trained),
                    figure(each.here),
                )
                for each in ordered
            ],
        ),
        note(
            "Distance: Jensen-Shannon divergence between the training images and these, in bits; 0 "
            "means equal, 1 disjoint. By chance: the expected distance of a sample of this size "
            "without drift. Means are in the units of the quantity."
        ),
    )
