"""Coordinates of a plot, and its frame. All lengths are SVG user units."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from serving.report.drawing.markup import Markup, element, join

_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 14, 12, 44


@dataclass(frozen=True)
class Axes:
    """A plane of values within a drawing; y grows upwards.

    Attributes:
        x: the least and the greatest value across, which differ.
        y: the same upwards.
        width: of the drawing.
        height: of the drawing.
        margins: left, right, top and bottom, around the plane.
    """

    x: tuple[float, float] = (0.0, 1.0)
    y: tuple[float, float] = (0.0, 1.0)
    width: float = 420
    height: float = 340
    margins: tuple[float, float, float, float] = (_LEFT, _RIGHT, _TOP, _BOTTOM)

    @property
    def left(self) -> float:
        """Its left edge."""
        return self.margins[0]

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.width - self.margins[1]

    @property
    def top(self) -> float:
        """Its upper edge."""
        return self.margins[2]

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.height - self.margins[3]

    def across(self, value: float) -> float:
        """Returns the coordinate of a value of x, clipped to the range."""
        return _place(value, self.x, self.left, self.right)

    def up(self, value: float) -> float:
        """Returns the coordinate of a value of y, clipped to the range."""
        return _place(value, self.y, self.bottom, self.top)

    def line(self, x: Iterable[float], y: Iterable[float], class_: str) -> Markup:
        """Returns a line through points."""
        return element("polyline", points=self._points(x, y), class_=class_)

    def band(
        self, x: Sequence[float], low: Sequence[float], high: Sequence[float], class_: str
    ) -> Markup:
        """Returns the area between two lines."""
        around = self._points([*x, *reversed(x)], [*high, *reversed(low)])
        return element("polygon", points=around, class_=class_)

    def dot(self, x: float, y: float, class_: str, radius: float = 4, title: str = "") -> Markup:
        """Returns a point with its tooltip."""
        tooltip = element("title", title) if title else None
        return element(
            "circle", tooltip, cx=at(self.across(x)), cy=at(self.up(y)), r=radius, class_=class_
        )

    def grid(
        self,
        x_label: str = "",
        y_label: str = "",
        *,
        x_ticks: Sequence[float] | None = None,
        y_ticks: Sequence[float] | None = None,
    ) -> Markup:
        """Returns lines at round values, their tick labels, and the labels of both axes."""
        parts = []
        for value in ticks(*self.x) if x_ticks is None else x_ticks:
            x = at(self.across(value))
            parts += [
                element("line", x1=x, x2=x, y1=at(self.top), y2=at(self.bottom), class_="rule"),
                _text(x, at(self.bottom + 16), f"{value:g}", "middle"),
            ]
        for value in ticks(*self.y) if y_ticks is None else y_ticks:
            y = self.up(value)
            parts += [
                element(
                    "line", x1=at(self.left), x2=at(self.right), y1=at(y), y2=at(y), class_="rule"
                ),
                _text(at(self.left - 6), at(y + 4), f"{value:g}", "end"),
            ]
        middle = (self.top + self.bottom) / 2
        if x_label:
            centre = at((self.left + self.right) / 2)
            parts.append(_text(centre, at(self.height - 6), x_label, "middle", "label"))
        if y_label:
            parts.append(
                element(
                    "text",
                    y_label,
                    transform=f"translate(14 {at(middle)}) rotate(-90)",
                    text_anchor="middle",
                    class_="label",
                )
            )
        return join(*parts)

    def drawing(self, title: str, *parts: object, class_: str = "plot") -> Markup:
        """Returns the whole drawing, which scales to its container.

        Args:
            title: the text alternative.
            parts: in the order of drawing.
            class_: the style.
        """
        return element(
            "svg",
            element("title", title),
            *parts,
            viewBox=f"0 0 {self.width:g} {self.height:g}",
            role="img",
            class_=class_,
        )

    def _points(self, x: Iterable[float], y: Iterable[float]) -> str:
        return " ".join(
            f"{at(self.across(one))},{at(self.up(other))}" for one, other in zip(x, y, strict=True)
        )


def at(length: float) -> str:
    """Formats a coordinate to a tenth."""
    return f"{length:.1f}"


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Finds round values in a range: multiples of 1, 2 or 5 times a power of ten.

    Args:
        low: the range's start.
        high: its end, above it.
        most: so many at most; at least 2.
    """
    rough = (high - low) / (most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    digits = max(0, -math.floor(math.log10(step)))
    return [round(index * step, digits) for index in range(first, last + 1)]


def widened(
    values: Sequence[float], *, least: float = -math.inf, most: float = math.inf
) -> tuple[float, float]:
    """Finds a range that holds values with a little room, within bounds.

    Args:
        values: at least one.
        least: the range does not begin before.
        most: the range does not end after.

    Returns:
        Its start and its end, which differ.
    """
    low, high = min(values), max(values)
    room = (high - low) * 0.06 or max(abs(high), 1.0) * 0.05
    low, high = max(least, low - room), min(most, high + room)
    return (low, high) if low < high else (low, low + room)


def _place(value: float, span: tuple[float, float], start: float, end: float) -> float:
    low, high = span
    share = (min(max(value, low), high) - low) / (high - low)
    return start + share * (end - start)


def _text(x: str, y: str, text: str, anchor: str, class_: str | None = None) -> Markup:
    return element("text", text, x=x, y=y, text_anchor=anchor, class_=class_)
