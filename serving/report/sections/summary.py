"""The head of the page: the model, the verdict and the main metrics."""

from typing import Final

from serving.analysis.findings import Findings
from serving.report.context import Context, Verdict
from serving.report.drawing.figure_text import INTERVALS, MEANINGS, estimate, figure, interval
from serving.report.drawing.html_tables import note
from serving.report.drawing.markup import Markup, element, join
from transform_module.text import count

NO_MEDICAL_DEVICE: Final = (
    "This is not a medical device, and nothing here is a diagnosis. The metrics apply to the "
    "images on which they were measured. Do not use the model to make decisions about a patient."
)


def head(findings: Findings, context: Context) -> Markup:
    """Returns the title, the verdict and the notes."""
    group = findings.overall
    evaluated = f"{count(group.images, 'image')} of {count(group.patients, 'patient')}"
    invalid = f"; {findings.invalid:,} could not be decoded" if findings.invalid else ""
    run = f"Run {context.run}. " if context.run else ""
    return join(
        element(
            "header",
            element("h1", findings.model),
            element(
                "p", f"{run}Evaluated on {findings.data}: {evaluated}{invalid}.", class_="subject"
            ),
        ),
        _verdict(context.verdict) if context.verdict else None,
        *(element("p", each, class_="notice") for each in (*findings.notes, NO_MEDICAL_DEVICE)),
    )


def figures(findings: Findings) -> Markup:
    """Returns the metrics over all images."""
    group = findings.overall
    tiles = [
        element(
            "div",
            element("dt", name),
            element(
                "dd",
                element("strong", figure(value.value)),
                element("span", interval(value), class_="span"),
                element("span", meaning, class_="meaning"),
            ),
        )
        for key, (name, meaning) in MEANINGS.items()
        if (value := estimate(group, key)).value is not None
    ]
    threshold = element(
        "div",
        element("dt", "Threshold"),
        element(
            "dd",
            element("strong", figure(findings.threshold)),
            element("span", _target(findings), class_="span"),
            element("span", "PNEUMONIA is predicted from this probability", class_="meaning"),
        ),
    )
    return join(element("dl", *tiles, threshold, class_="tiles"), note(INTERVALS))


def _target(findings: Findings) -> str:
    chosen = findings.record.get("settings", {}).get("operating_point", {})
    target = chosen.get("target")
    if target == "sensitivity":
        return f"chosen on eval for sensitivity {chosen.get('sensitivity')}"
    return f"chosen on eval by {target}" if target in ("youden", "cost") else ""


def _verdict(verdict: Verdict) -> Markup:
    if verdict.blessed:
        outcome = f"Pushed as version {verdict.pushed}" if verdict.pushed else "May be pushed"
    else:
        outcome = "Not pushed"
    return element(
        "div",
        element("p", element("strong", outcome)),
        element("ul", *(element("li", each) for each in (*verdict.reasons, *verdict.notes)))
        if verdict.reasons or verdict.notes
        else None,
        class_=f"verdict {'yes' if verdict.blessed else 'no'}",
        role="note",
    )
