"""The section that compares the model with another one on the same images."""

from serving.analysis.findings import Comparison, Findings
from serving.report.drawing.axes import widened
from serving.report.drawing.drawings import interval
from serving.report.drawing.figure_text import MEANINGS, with_interval
from serving.report.drawing.html_tables import note, section, table
from serving.report.drawing.markup import Markup, element


def comparison(findings: Findings) -> Markup:
    """Returns the differences with their intervals."""
    found = findings.comparison
    if not found:
        return Markup()
    rows = {"auc": found.auc} | {
        name: value for name, value in found.differences.items() if name != "auc"
    }
    values = [
        value
        for each in rows.values()
        for value in (each.value, each.low, each.high)
        if value is not None
    ]
    span = widened([*values, 0.0])
    return section(
        "comparison",
        "Comparison",
        element(
            "p", f"Compared with {found.against} on the same images, each at its own threshold."
        ),
        note(_significance(found)),
        table(
            f"Differences from {found.against}",
            ("metric", "difference", ""),
            [
                (
                    MEANINGS[name][0] if name in MEANINGS else name,
                    with_interval(value, difference=True),
                    interval(value, span, mark=0.0),
                )
                for name, value in rows.items()
                if value.value is not None
            ],
            left=(0, 2),
        ),
    )


def _significance(found: Comparison) -> str:
    explained = (
        "Differences are this model minus the other. For ECE and Brier score lower is better, for "
        "the others higher. Interval of AUC: DeLong; of the others: paired bootstrap over patients."
    )
    if found.p_value is None:
        return explained
    value = "below 0.001" if found.p_value < 0.001 else f"{found.p_value:.3f}"
    return f"{explained} DeLong's test of no difference in AUC: p {value}."
