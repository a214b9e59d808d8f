"""Tables, lists and sections of the page."""

from collections.abc import Collection, Iterable, Sequence

from serving.report.drawing.markup import Markup, element


def table(
    label: str,
    columns: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    left: Collection[int] = (0,),
) -> Markup:
    """Returns a table whose first column holds the row heads.

    A table wider than the page scrolls on its own.

    Args:
        label: the name for screen readers.
        columns: the heads.
        rows: the cells.
        left: indices of the columns of text; all others are aligned to the right.
    """

    def style(index: int) -> str | None:
        return None if index in left else "number"

    heads = [
        element("th", head, scope="col", class_=style(index)) for index, head in enumerate(columns)
    ]
    body = [
        element(
            "tr",
            *(
                element("td", cell, class_=style(index))
                if index
                else element("th", cell, scope="row", class_=style(index))
                for index, cell in enumerate(row)
            ),
        )
        for row in rows
    ]
    whole = element(
        "table", element("thead", element("tr", *heads)), element("tbody", *body), aria_label=label
    )
    return element("div", whole, class_="scroll", tabindex=0, role="region", aria_label=label)


def pairs(content: Iterable[tuple[object, object]]) -> Markup:
    """Returns a list of names and values; empty if there are none."""
    found = [element("div", element("dt", name), element("dd", value)) for name, value in content]
    return element("dl", *found, class_="pairs") if found else Markup()


def section(identity: str, title: str, *content: object) -> Markup:
    """Returns a section of the page; empty without content."""
    if not any(part for part in content):
        return Markup()
    return element(
        "section",
        element("h2", title, id=identity),
        *content,
        aria_labelledby=identity,
    )


def note(*content: object) -> Markup:
    """Returns a paragraph that explains metrics."""
    return element("p", *content, class_="note")


def plot(title: str, drawing: Markup, *caption: object) -> Markup:
    """Returns a plot with its title and caption."""
    return element(
        "figure",
        element("h3", title),
        drawing,
        element("figcaption", *caption) if caption else None,
    )
