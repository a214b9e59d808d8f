"""The answers that were most wrong."""

from typing import Final

from components.analysis.findings import Findings, Miss
from components.report.context import Context
from components.report.figures import figure
from components.report.markup import Markup, element
from components.report.pictures import image, name, overlay
from components.report.tables import note, section, table

SHOWN: Final = 12
"""So many are shown."""


def misses(findings: Findings, context: Context) -> Markup:
    """The most certain wrong answers, with their pictures where they may be shown."""
    shown = findings.misses[:SHOWN]
    if not shown:
        return Markup()
    total = findings.confusion.false_positives + findings.confusion.false_negatives
    explained = [
        f"{total:,} of {findings.overall.pictures:,} answers are wrong at the threshold "
        f"{figure(findings.threshold)}; these are the most certain ones. A "
        "probability is of PNEUMONIA."
    ]
    if any(each.path in context.pictures for each in shown):
        if any(context.pictures[e.path].overlay for e in shown if e.path in context.pictures):
            explained.append(
                "The second picture is Grad-CAM: the warmer, the more a place spoke for PNEUMONIA. "
                "It tells where the model looked, not why it is wrong."
            )
        content = element("ul", *(_card(each, context) for each in shown), class_="misses")
    else:
        content = table(
            "The most certain wrong answers",
            ("is", "told", "probability", *(["file"] if context.filenames else [])),
            [
                (
                    _truth(each),
                    _told(each, findings),
                    figure(each.probability),
                    *([name(each.path)] if context.filenames else []),
                )
                for each in shown
            ],
            left=(0, 1, 3),
        )
    if not context.filenames:
        explained.append("Names of files are left out.")
    return section("misses", "Worst errors", note(" ".join(explained)), content)


def _card(miss: Miss, context: Context) -> Markup:
    picture = context.pictures.get(miss.path)
    return element(
        "li",
        element(
            "div",
            image(picture, f"An X-ray of {miss.label} that was told wrong"),
            overlay(picture, "The same X-ray under its heat map"),
            class_="pair",
        ),
        element(
            "p",
            element("strong", _truth(miss)),
            f", probability {figure(miss.probability)}",
        ),
        element("p", name(miss.path), class_="span") if context.filenames else None,
    )


def _truth(miss: Miss) -> str:
    subtype = miss.subtype if miss.subtype not in ("", "normal", "unknown") else ""
    return f"{miss.label} ({subtype})" if subtype else miss.label


def _told(miss: Miss, findings: Findings) -> str:
    return "PNEUMONIA" if miss.probability >= findings.threshold else "NORMAL"
