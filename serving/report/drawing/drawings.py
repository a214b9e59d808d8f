"""Plots as SVG."""

from collections.abc import Sequence
from typing import Final

from serving.analysis.findings import Curve, Estimate, ReliabilityBin
from serving.report.drawing.axes import Axes, at, ticks, widened
from serving.report.drawing.figure_text import figure, with_interval
from serving.report.drawing.markup import Markup, element, join

_COUNTS_HEIGHT: Final = 46


def curve(
    title: str,
    drawn: Curve,
    *,
    x_label: str,
    y_label: str,
    chance: tuple[tuple[float, float], tuple[float, float]],
    point: tuple[float | None, float | None],
) -> Markup:
    """Draws a curve in the unit square, with its band.

    Args:
        title: what it shows.
        drawn: the curve.
        x_label: label of the x axis.
        y_label: label of the y axis.
        chance: the two ends of the line of a model without skill.
        point: where the operating threshold is, as far as it is defined.
    """
    axes = Axes()
    (start, bottom), (end, top) = chance
    parts = [
        axes.grid(x_label, y_label),
        axes.line((start, end), (bottom, top), "chance"),
        axes.band(drawn.x, drawn.low, drawn.high, "band"),
        axes.line(drawn.x, drawn.y, "line"),
    ]
    x, y = point
    if x is not None and y is not None:
        parts.append(axes.dot(x, y, "point", 5, f"threshold: {figure(x)}, {figure(y)}"))
    return axes.drawing(title, *parts)


def reliability(title: str, bins: Sequence[ReliabilityBin]) -> Markup:
    """Draws the share of PNEUMONIA over the probability, and the number of images in each bin."""
    axes = Axes(height=340 + _COUNTS_HEIGHT, margins=(58, 14, 12, 44 + _COUNTS_HEIGHT))
    counts = Axes(
        y=(0, max([each.images for each in bins] or [0]) or 1),
        height=axes.height,
        margins=(58, 14, axes.height - 44 - _COUNTS_HEIGHT + 22, 22),
    )
    filled = [
        (each, each.probability, each.share.value)
        for each in bins
        if each.probability is not None and each.share.value is not None
    ]
    parts = [
        axes.grid("", "share of PNEUMONIA"),
        axes.line((0, 1), (0, 1), "chance"),
        *(_whisker(axes, each) for each, _, _ in filled),
        axes.line([x for _, x, _ in filled], [y for _, _, y in filled], "faint line"),
        *(
            axes.dot(
                x,
                y,
                "point",
                title=f"{each.images} images, probability {figure(x)}, "
                f"share {with_interval(each.share)}",
            )
            for each, x, y in filled
        ),
        *(_count(counts, each) for each in bins),
        element(
            "text",
            "probability (bars: number of images)",
            x=at((axes.left + axes.right) / 2),
            y=at(axes.height - 4),
            text_anchor="middle",
            class_="label",
        ),
    ]
    return axes.drawing(title, *parts)


def _whisker(axes: Axes, drawn: ReliabilityBin) -> Markup | None:
    if drawn.share.low is None or drawn.share.high is None or drawn.probability is None:
        return None
    x = at(axes.across(drawn.probability))
    low, high = at(axes.up(drawn.share.low)), at(axes.up(drawn.share.high))
    return element("line", x1=x, x2=x, y1=low, y2=high, class_="whisker")


def _count(axes: Axes, drawn: ReliabilityBin) -> Markup:
    left, right = axes.across(drawn.low), axes.across(drawn.high)
    top = axes.up(drawn.images)
    return element(
        "rect",
        element("title", f"{drawn.images} images from {drawn.low:g} to {drawn.high:g}"),
        x=at(left + 1),
        y=at(top),
        width=at(max(0.0, right - left - 2)),
        height=at(axes.bottom - top),
        class_="bar",
    )


def epochs(
    title: str,
    lines: Sequence[tuple[str, Sequence[tuple[int, float]]]],
    *,
    best: int | None,
    y_label: str,
    most: float,
) -> Markup:
    """Draws figures by epoch.

    Args:
        title: what it shows.
        lines: for each its style, and epochs, from 1, with their values; none is empty.
        best: the best epoch, from 1; None marks none.
        y_label: what is drawn.
        most: the greatest value that the figure can have.
    """
    count = max(epoch for _, values in lines for epoch, _ in values)
    span = widened([value for _, values in lines for _, value in values], least=0.0, most=most)
    axes = Axes(x=(1, max(count, 2)), y=span, height=260)
    whole = [tick for tick in ticks(*axes.x) if tick == int(tick)]
    parts: list[Markup] = [axes.grid("epoch", y_label, x_ticks=whole)]
    if best is not None:
        x = at(axes.across(best))
        parts.append(
            element(
                "line",
                element("title", f"best epoch: {best}"),
                x1=x,
                x2=x,
                y1=at(axes.top),
                y2=at(axes.bottom),
                class_="best",
            )
        )
    for style, values in lines:
        parts.append(axes.line([x for x, _ in values], [y for _, y in values], style))
        if len(values) == 1:
            parts.append(axes.dot(*values[0], "point"))
    return axes.drawing(title, *parts)


def strengths(title: str, values: Sequence[tuple[int, float]], least: float) -> Markup:
    """Draws the AUC of corrupted images by strength.

    Args:
        title: what it shows.
        values: strength, 0 to 5, and AUC.
        least: where the scale of the AUC begins, below 1.
    """
    axes = Axes(x=(0, 5), y=(least, 1), width=220, height=150, margins=(36, 10, 10, 22))
    x, y = zip(*values, strict=True) if values else ((), ())
    parts = [
        axes.grid(y_ticks=ticks(least, 1)),
        axes.line(x, y, "line"),
        *(axes.dot(*each, "point", 3, f"strength {each[0]}: {figure(each[1])}") for each in values),
    ]
    return axes.drawing(title, *parts)


def interval(estimate: Estimate, span: tuple[float, float], *, mark: float | None = None) -> Markup:
    """Draws a figure and its interval on a short line.

    Args:
        estimate: the figure.
        span: the least and the greatest value that the line has.
        mark: a value to compare with; None marks none.
    """
    axes = Axes(x=span, width=120, height=16, margins=(5, 5, 2, 2))
    parts: list[Markup] = [
        element("line", x1=at(axes.left), x2=at(axes.right), y1=8, y2=8, class_="rule")
    ]
    if mark is not None and span[0] <= mark <= span[1]:
        x = at(axes.across(mark))
        parts.append(element("line", x1=x, x2=x, y1=1, y2=15, class_="chance"))
    if estimate.low is not None and estimate.high is not None:
        low, high = at(axes.across(estimate.low)), at(axes.across(estimate.high))
        parts.append(element("line", x1=low, x2=high, y1=8, y2=8, class_="whisker"))
    if estimate.value is not None:
        parts.append(
            element("circle", cx=at(axes.across(estimate.value)), cy=8, r=4, class_="point")
        )
    return element("svg", join(*parts), viewBox="0 0 120 16", class_="interval", aria_hidden="true")


def bar(share: float, width: float = 120) -> Markup:
    """Draws a share of a whole, in [0, 1]."""
    length = min(max(share, 0.0), 1.0) * width
    return element(
        "svg",
        element("rect", x=0, y=3, width=at(width), height=10, class_="track"),
        element("rect", x=0, y=3, width=at(length), height=10, class_="bar"),
        viewBox=f"0 0 {width:g} 16",
        class_="interval",
        aria_hidden="true",
    )
