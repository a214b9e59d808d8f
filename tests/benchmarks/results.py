"""What was measured, kept: RESULTS.md, one line of history, a plot of it."""

import json
import math
import os
import platform
from datetime import date
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any
from xml.sax.saxutils import escape

import psutil

from tests.benchmarks.goals import GOALS, Figures, number, table
from tests.benchmarks.measure import Cost

_VERSIONED = ("tensorflow", "tfx", "apache-beam", "keras")
_WIDTH, _ROW, _LEFT, _RIGHT, _TOP = 860, 26, 330, 90, 46
_SPAN = math.log(8)  # The plot reaches from an eighth of the goal to eight times it.


def entry(found: dict[str, Figures], costs: dict[str, list[Cost]]) -> dict[str, Any]:
    """Makes the history's entry: when, where and with what, every figure and every cost."""
    return {
        "date": date.today().isoformat(),
        "machine": machine(),
        "versions": {name: metadata.version(name) for name in _VERSIONED},
        "rows": {name: vars(figures) for name, figures in found.items()},
        "costs": {what: [cost.as_dict() for cost in each] for what, each in costs.items()},
    }


def machine() -> str:
    """Describes the machine."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(": ")[2]
                break
    memory = psutil.virtual_memory().total / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}"


def markdown(measured: dict[str, Any]) -> str:
    """Writes an entry for people: the table, and what each command cost."""
    versions = ", ".join(f"{name} {version}" for name, version in measured["versions"].items())
    found = {name: Figures(**each) for name, each in measured["rows"].items()}
    lines = [
        f"{measured['date']}: {measured['machine']}; {versions}.",
        "",
        table(found),
        "",
        "Medians of each command, its children included:",
        "",
        "| command | runs | seconds | CPU seconds | peak memory, GB | written, MB | page faults |",
        "|---|---|---|---|---|---|---|",
    ]
    for what, each in measured["costs"].items():

        def middle(name: str, costs: list[dict[str, float]] = each) -> float:
            return median(cost[name] for cost in costs)

        lines.append(
            f"| {what} | {len(each)} | {middle('seconds'):.1f} | {middle('cpu_seconds'):.1f} "
            f"| {middle('peak_memory') / 1e9:.2f} | {middle('written') / 1e6:,.0f} "
            f"| {middle('page_faults'):,.0f} |"
        )
    return "\n".join(lines)


def append(measured: dict[str, Any], history: Path) -> list[dict[str, Any]]:
    """Adds an entry to the history file, a line each, and returns all of them."""
    with history.open("a") as file:
        file.write(json.dumps(measured) + "\n")
    return [json.loads(line) for line in history.read_text().splitlines()]


def plot(history: list[dict[str, Any]]) -> str:
    """Draws how far each row is from its goal: the last figure as a bar, former ones as ticks.

    Each is drawn as a multiple of its goal on a logarithmic scale; left of the line it is met.

    Args:
        history: entries, the oldest first.

    Returns:
        An SVG.
    """
    shown = [name for name in GOALS if any(name in each["rows"] for each in history)]
    height = _TOP + _ROW * len(shown) + 16
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" font-family="system-ui, sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="{middle - 10}" y="24" text-anchor="end" fill="#1b7f5c">'
        "better than the goal</text>",
        f'<text x="{middle + 10}" y="24" fill="#b3261e">worse</text>',
    ]
    for index, name in enumerate(shown):
        goal, y = GOALS[name], _TOP + _ROW * index
        places = [
            (each, _place(name, Figures(**each["rows"][name]).median))
            for each in history
            if name in each["rows"]
        ]
        last, x = places[-1]
        figure = Figures(**last["rows"][name]).median
        colour = "#1b7f5c" if goal.is_met(figure) else "#b3261e"
        lines += [
            f'<text x="{_LEFT - 12}" y="{y + 14}" text-anchor="end" fill="#12263a">'
            f"{escape(goal.what)}</text>",
            f'<rect x="{min(x, middle):.1f}" y="{y + 3}" width="{abs(x - middle):.1f}" height="14" '
            f'fill="{colour}"/>',
            *(
                f'<rect x="{former:.1f}" y="{y}" width="2" height="20" fill="#7a8794"/>'
                for _, former in places[:-1]
            ),
            f'<text x="{_WIDTH - 8}" y="{y + 14}" text-anchor="end" fill="{colour}">'
            f"{number(figure, goal.unit)}</text>",
        ]
    lines += [
        f'<line x1="{middle}" x2="{middle}" y1="12" y2="{height - 8}" stroke="#12263a"/>',
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _place(name: str, figure: float) -> float:
    goal = GOALS[name]
    multiple = goal.bound / figure if goal.at_least else figure / goal.bound
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    half = (_WIDTH - _RIGHT - _LEFT) / 2 - 4
    return middle + max(-1.0, min(1.0, math.log(multiple) / _SPAN)) * half
