"""What the pipeline may cost, and what it is measured against."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True)
class Goal:
    """One row of the table.

    Attributes:
        what: is measured.
        against: what it is divided by; empty where the figure stands alone.
        bound: the figure that it should not pass.
        unit: of the figure: "x" is a quotient.
        at_least: the figure should not be below the bound, in place of above.
    """

    what: str
    against: str
    bound: float
    unit: str = "x"
    at_least: bool = False

    def is_met(self, figure: float) -> bool:
        """Tells whether a figure is good enough."""
        return figure >= self.bound if self.at_least else figure <= self.bound

    @property
    def text(self) -> str:
        """The bound, for people."""
        return f"{'≥' if self.at_least else '≤'} {number(self.bound, self.unit)}"


GOALS = {
    "convert": Goal(
        "cxr convert, images a second", "the loop that only reads and writes", 0.8, at_least=True
    ),
    "transform": Goal(
        "Transform, the whole component", "parse, decode, resize, encode, write", 1.3
    ),
    "data": Goal("first run, all but training", "the sum of the bare loops", 1.5),
    "step": Goal("trainer, images a second", "the same step fed from memory", 0.97, at_least=True),
    "faults": Goal("page faults a training step", "", 5000, "faults"),
    "loading": Goal(
        "trainer's input alone, images a second", "Pillow and PyTorch's loader", 1, at_least=True
    ),
    "first": Goal("first run, two epochs", "the plain Keras script", 1.15),
    "target": Goal("time to a validation AUC of 0.95", "Keras's guide", 0.9),
    "width": Goal("rerun with a wider model", "its training alone", 1.1),
    "cached": Goal("cached rerun, in all", "", 12, "s"),
    "cached_run": Goal("cached rerun, after imports", "", 3, "s"),
    "start": Goal("start of the slowest process of TFX", "import of TensorFlow alone", 1.5),
    "growth_memory": Goal("peak memory, 20,000 images", "2,000 images", 1.2),
    "growth_time": Goal("time an image, 20,000 images", "2,000 images", 1.05),
    "large_memory": Goal("to Transform, peak memory, 100,000 images", "20,000 images", 1.2),
    "large_time": Goal("to Transform, time an image, 100,000", "20,000 images", 1.05),
    "transformed": Goal("Transform's output", "raw uint8 pixels", 0.5),
    "disk": Goal("all artifacts less the models", "the JPEGs", 2.5),
    "setup": Goal("set-up of a second clone", "", 90, "s"),
}
"""The rows, in their order, by the name under which a measurement adds its figures."""


@dataclass
class Figures:
    """What was measured of one row.

    Attributes:
        values: a figure of each round.
        ours: the numerator of each round, and `theirs` the denominator; both empty where the
            figure stands alone.
    """

    values: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)

    def compare(self, ours: float, theirs: float) -> None:
        """Adds a round."""
        self.values.append(ours / theirs)
        self.ours.append(ours)
        self.theirs.append(theirs)

    def add(self, value: float) -> None:
        """Adds a round of a row that stands alone."""
        self.values.append(value)

    @property
    def median(self) -> float:
        """Of all rounds."""
        return median(self.values)


def number(value: float, unit: str) -> str:
    """Writes a figure with its unit."""
    if unit == "x":
        return f"{value:.2f}x"
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"


def table(found: dict[str, Figures]) -> str:
    """Makes the table in Markdown, of the rows that were measured."""
    lines = [
        "| what | against | goal | figure | spread | rounds | verdict |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, goal in GOALS.items():
        if name not in found:
            continue
        figures = found[name]
        figure = number(figures.median, goal.unit)
        if figures.ours:
            figure += f" ({_short(figures.ours)} : {_short(figures.theirs)})"
        low, high = (number(end(figures.values), goal.unit) for end in (min, max))
        spread = f"{low} to {high}" if len(figures.values) > 1 else "-"
        verdict = "met" if goal.is_met(figures.median) else "**missed**"
        lines.append(
            f"| {goal.what} | {goal.against or '-'} | {goal.text} | {figure} "
            f"| {spread} | {len(figures.values)} | {verdict} |"
        )
    return "\n".join(lines)


def _short(values: Sequence[float]) -> str:
    value = median(values)
    if value >= 1e6:
        return f"{value / 1e6:,.1f}M"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
