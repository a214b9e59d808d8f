"""The report page: one self-contained HTML file."""

import re
from typing import Final

from serving.analysis.findings import Findings
from serving.report.context import Context
from serving.report.drawing.markup import Markup, element, join
from serving.report.drawing.style import STYLE
from serving.report.sections import summary
from serving.report.sections.comparison import comparison
from serving.report.sections.data import data
from serving.report.sections.misses import misses
from serving.report.sections.performance import curves, slices
from serving.report.sections.provenance import origin, serving, times
from serving.report.sections.robustness import corruptions, domain_and_drift, probes, shifts
from serving.report.sections.training import training
from serving.report.sections.triage_rates import triage

PAGE: Final = "page.html"
"""The file's name."""

# A page that is opened from a disk loads and runs nothing either.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"
_ICON: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect width='16' height='16' rx='4' fill='%230b6e75'/%3E"
    "%3Cpath d='M3 12c3 0 3-8 5-8s2 8 5 8' fill='none' stroke='%23fff'/%3E%3C/svg%3E"
)
_HEADING: Final = re.compile(r'<h2 id="([a-z]+)">(.*?)</h2>')


def page(findings: Findings, context: Context | None = None) -> str:
    """Renders the findings of an evaluation.

    Args:
        findings: of the evaluation.
        context: the run that made the model; None where only the findings are known. Unknown
            parts are left out.

    Returns:
        HTML. It loads nothing, and shows of the images only what the context allows.
    """
    context = context or Context()
    sections = [
        data(context),
        training(findings, context),
        curves(findings),
        triage(findings),
        slices(findings),
        misses(findings, context),
        shifts(findings),
        corruptions(findings),
        probes(findings),
        domain_and_drift(findings),
        comparison(findings),
        serving(context),
        times(context),
        origin(findings, context),
    ]
    body = element(
        "body",
        summary.head(findings, context),
        element("main", summary.figures(findings), _navigation(join(*sections)), *sections),
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("title", f"{findings.model}: report"),
        element("link", rel="icon", href=_ICON),
        element("style", Markup(STYLE)),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _navigation(sections: Markup) -> Markup:
    found = _HEADING.findall(sections)
    links = [element("li", element("a", Markup(text), href=f"#{name}")) for name, text in found]
    return element("nav", element("ul", *links), aria_label="Sections")
