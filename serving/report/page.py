"""The report page: one self-contained HTML file."""

import re
from typing import Final

from serving.analysis.findings import Findings
from serving.report.context import Context
from serving.report.drawing.document import document
from serving.report.drawing.markup import Markup, element, join
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
    return document(
        f"{findings.model}: report",
        summary.head(findings, context),
        element("main", summary.figures(findings), _navigation(join(*sections)), *sections),
    )


def _navigation(sections: Markup) -> Markup:
    found = _HEADING.findall(sections)
    links = [element("li", element("a", Markup(text), href=f"#{name}")) for name, text in found]
    return element("nav", element("ul", *links), aria_label="Sections")
