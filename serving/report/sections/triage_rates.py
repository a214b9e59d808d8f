"""Triage: how many images are decided, and how many of these are wrong."""

from serving.analysis.findings import Findings
from serving.report.drawing.figure_text import TRIAGE_MEANINGS, UNDEFINED, figure, interval
from serving.report.drawing.html_tables import note, section, table
from serving.report.drawing.markup import Markup
from transform_module.text import count


def triage(findings: Findings) -> Markup:
    """Returns the figures of the triage beside the error rates that it was made for."""
    found = findings.triage
    if found is None:
        return Markup()
    record = findings.record.get("triage", {})
    estimates = {name: getattr(found, name) for name in TRIAGE_MEANINGS}
    return section(
        "triage",
        "Triage",
        note(
            f"{found.review:,} of {count(found.images, 'image')} are for review: those out of "
            f"domain{_between(record)}. At most: the error rate that the triage was made for, by "
            "conformal prediction on eval; it holds for patients like those of eval."
        ),
        table(
            "Figures of the triage",
            ("figure", "value", "95 % interval", "at most", "meaning"),
            [
                (
                    TRIAGE_MEANINGS[name][0],
                    figure(value.value),
                    interval(value) or UNDEFINED,
                    figure(record.get(name)),
                    TRIAGE_MEANINGS[name][1],
                )
                for name, value in estimates.items()
            ],
            left=(0, 4),
        ),
        *(note(f"{each[:1].upper()}{each[1:]}.") for each in record.get("notes", ())),
    )


def _between(record: dict[str, float]) -> str:
    if "normal_up_to" not in record:
        return ""
    low, high = sorted((record["normal_up_to"], record["pneumonia_from"]))
    return f", and those with a probability between {figure(low)} and {figure(high)}"
