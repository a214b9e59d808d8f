"""What the page tells of other pictures than those of the test: spoilt, foreign, shifted."""

from itertools import groupby
from typing import Final

from components.analysis.findings import Corruption, Domain, Drift, Findings, Probe
from components.report.drawings import bar, interval, strengths
from components.report.figures import MINUS, count, figure, signed, with_interval
from components.report.figures import interval as span_of
from components.report.markup import Markup, element, join
from components.report.tables import note, plot, section, table

_CORRELATIONS: Final = (-1.0, 1.0)


def corruptions(findings: Findings) -> Markup:
    """A curve for each kind of spoiling, and the figures."""
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
    pictures = max(each.pictures for each in ordered)
    return section(
        "corruptions",
        "Corruptions",
        note(
            f"{count(pictures, 'picture')} of these, spoilt ever more: AUC over strength, where 0 "
            "is as they are and 5 is the strongest."
        ),
        element("div", *drawn, class_="many") if drawn else None,
        element("details", element("summary", "All figures"), _corruption_table(ordered)),
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
        "Figures by corruption and strength",
        ("corruption", "strength", "AUC", "change", "sensitivity", "specificity", "ECE"),
        [
            (
                each.kind.replace("_", " "),
                each.strength,
                figure(each.auc),
                signed(None if each.auc_drop is None else -each.auc_drop),
                figure(each.sensitivity),
                figure(each.specificity),
                figure(each.ece),
            )
            for each in ordered
        ],
    )


def probes(findings: Findings) -> Markup:
    """Whether the model follows what says nothing about lungs."""
    # What is the same in all pictures can be no shortcut.
    told = [
        each
        for each in findings.probes
        if any(value is not None for value in (each.alone, each.within_normal.value))
    ]
    if not told:
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
            "Quantities that say nothing about lungs. Alone: the AUC of the quantity for the label "
            "in this data; 0.5 tells nothing. Within a class: Spearman's correlation of the "
            f"quantity with the probability, from {MINUS}1 to 1; far from 0 the model may follow "
            "it."
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
                for each in told
            ],
        ),
    )


def shift(findings: Findings) -> Markup:
    """Pictures that are not of the model's kind, and how far these are from its training."""
    return section(
        "shift",
        "Domain and drift",
        _domain(findings.domain) if findings.domain else None,
        _drift(findings.drift) if findings.drift else None,
    )


def _domain(domain: Domain) -> Markup:
    return element(
        "p",
        f"The model takes {domain.flagged:,} of {count(domain.pictures, 'picture')} for none of "
        f"its kind: a share of {with_interval(domain.share)}.",
    )


def _drift(drifts: list[Drift]) -> Markup:
    ordered = sorted(drifts, key=lambda each: -each.distance)
    return join(
        table(
            "Distance from the pictures that were trained on",
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
            "Distance: Jensen-Shannon divergence of the two distributions, in bits; 0 is equal, "
            "1 has nothing in common. By chance: the distance to expect of so few pictures if "
            "nothing had changed."
        ),
    )
