"""Performance: curves, calibration, confusion matrix, subgroups."""

from typing import Final

from serving.analysis.findings import Confusion, Findings, Group
from serving.report.drawing.axes import widened
from serving.report.drawing.drawings import curve, interval, reliability
from serving.report.drawing.figure_text import (
    MEANINGS,
    MINUS,
    defined,
    estimate,
    figure,
    with_interval,
)
from serving.report.drawing.figure_text import interval as span_of
from serving.report.drawing.html_tables import note, plot, section, table
from serving.report.drawing.markup import Markup, element, join

_IN_SLICES: Final = ("auc", "accuracy", "sensitivity", "specificity", "ece")


def curves(findings: Findings) -> Markup:
    """Returns ROC, precision-recall, reliability and the confusion matrix."""
    group, drawn = findings.overall, []
    counts = findings.confusion
    sensitivity, specificity = group.sensitivity.value, group.specificity.value
    if findings.roc:
        drawn.append(
            plot(
                "ROC curve",
                curve(
                    "ROC curve with its 95 % band, and the threshold's point on it",
                    findings.roc,
                    x_label=f"1 {MINUS} specificity",
                    y_label="sensitivity",
                    chance=((0, 0), (1, 1)),
                    point=(None if specificity is None else 1 - specificity, sensitivity),
                ),
                f"AUC {with_interval(group.auc)}{_delong(findings)}. The dot is the operating "
                "threshold.",
            )
        )
    if findings.precision_recall:
        prevalence = group.positives / group.images if group.images else 0.0
        positive = counts.true_positives + counts.false_positives
        drawn.append(
            plot(
                "Precision and recall",
                curve(
                    "Precision over recall with its 95 % band, and the threshold's point on it",
                    findings.precision_recall,
                    x_label="recall (sensitivity)",
                    y_label="precision",
                    chance=((0, prevalence), (1, prevalence)),
                    point=(sensitivity, counts.true_positives / positive if positive else None),
                ),
                f"PR-AUC {with_interval(group.pr_auc)}. The precision of a model without "
                f"skill is the share of PNEUMONIA, {figure(prevalence)} here.",
            )
        )
    if any(each.images for each in findings.reliability):
        drawn.append(
            plot(
                "Reliability",
                reliability(
                    "Share of PNEUMONIA over the probability, by ten bins", findings.reliability
                ),
                f"ECE {with_interval(group.ece)}. On the dashed line the probability equals "
                "the share of PNEUMONIA; vertical bars are 95 % intervals.",
            )
        )
    if group.images:
        drawn.append(_confusion(counts, findings.threshold))
    return section(
        "performance", "Performance", element("div", *drawn, class_="two") if drawn else None
    )


def _delong(findings: Findings) -> str:
    span = span_of(findings.delong)
    return f"; {span} by DeLong" if span else ""


def _confusion(counts: Confusion, threshold: float) -> Markup:
    def row(label: str, normal: int, pneumonia: int, right: int) -> Markup:
        total = (normal + pneumonia) or 1
        cells = [
            element(
                "td",
                element("strong", f"{number:,}"),
                element("span", f"{number / total:.1%}"),
                class_="right" if index == right else "wrong",
            )
            for index, number in enumerate((normal, pneumonia))
        ]
        return element("tr", element("th", label, scope="row"), *cells)

    heads = [
        element("th", text, scope="col")
        for text in ("true label", "predicted NORMAL", "predicted PNEUMONIA")
    ]
    return element(
        "figure",
        element("h3", f"Confusion matrix at the threshold {figure(threshold)}"),
        element(
            "table",
            element("thead", element("tr", *heads)),
            element(
                "tbody",
                row("NORMAL", counts.true_negatives, counts.false_positives, 0),
                row("PNEUMONIA", counts.false_negatives, counts.true_positives, 1),
            ),
            class_="confusion",
        ),
        element("figcaption", "Percentages are of each row, the true label."),
    )


def slices(findings: Findings) -> Markup:
    """Returns the metrics by group, a table for each dimension."""
    tables = [
        join(
            element("h3", dimension[:1].upper() + dimension[1:]),
            _slice(dimension, groups, findings.overall),
        )
        for dimension, groups in findings.slices.items()
        if groups
    ]
    explained = note(
        "The line is the 95 % interval, the dashed mark the metric over all images. Small groups "
        "have wide intervals. A dash is a metric that the group leaves undefined, such as the AUC "
        "of a single class."
    )
    return section("slices", "Subgroups", explained if tables else None, *tables)


def _slice(dimension: str, groups: list[Group], overall: Group) -> Markup:
    names = [name for name in defined(groups) if name in _IN_SLICES]
    spans = {name: _span([overall, *groups], name) for name in names}

    def cell(group: Group, name: str) -> Markup:
        value = estimate(group, name)
        if value.value is None:
            return Markup(figure(None))
        return join(
            element("strong", figure(value.value)),
            interval(value, spans[name], mark=estimate(overall, name).value),
            element("span", span_of(value), class_="span"),
        )

    return table(
        f"Metrics by {dimension}",
        ("group", "images (patients)", *(MEANINGS[name][0] for name in names)),
        [
            (
                group.name,
                f"{group.images:,} ({group.patients:,})",
                *(cell(group, name) for name in names),
            )
            for group in groups
        ],
    )


def _span(groups: list[Group], name: str) -> tuple[float, float]:
    """Returns the range over which a column of intervals is drawn."""
    values = [
        value
        for group in groups
        for each in [estimate(group, name)]
        for value in (each.value, each.low, each.high)
        if value is not None
    ]
    return widened(values, least=0.0, most=1.0)
