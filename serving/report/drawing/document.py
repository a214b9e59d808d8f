"""The frame of a page: one HTML file that loads and runs nothing."""

from typing import Final

from serving.report.drawing.markup import Markup, element
from serving.report.drawing.style import STYLE

# A page that is opened from a disk loads and runs nothing either.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"
_ICON: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect width='16' height='16' rx='4' fill='%230b6e75'/%3E"
    "%3Cpath d='M3 12c3 0 3-8 5-8s2 8 5 8' fill='none' stroke='%23fff'/%3E%3C/svg%3E"
)


def document(title: str, *content: object) -> str:
    """Returns a page.

    Args:
        title: of the window.
        content: of the body.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("title", title),
        element("link", rel="icon", href=_ICON),
        element("style", Markup(STYLE)),
    )
    return f"<!doctype html>\n{element('html', head, element('body', *content), lang='en')}\n"
