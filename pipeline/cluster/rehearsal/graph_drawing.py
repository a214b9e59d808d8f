"""The graph of a compiled pipeline as SVG."""

from typing import Final
from xml.sax.saxutils import escape

from pipeline.cluster.rehearsal.compiled import Compiled

_WIDTH: Final = 230
_HEIGHT: Final = 44
_GAP_X: Final = 40
_GAP_Y: Final = 56
_MARGIN: Final = 24
_EDGE: Final = "#5f7d99"


def svg(compiled: Compiled) -> str:
    """Draws each task with its resources, and an arrow to it from each task that it waits for."""
    layers = _layers(compiled)
    widest = max(len(layer) for layer in layers)
    width = 2 * _MARGIN + widest * (_WIDTH + _GAP_X) - _GAP_X
    height = 2 * _MARGIN + len(layers) * (_HEIGHT + _GAP_Y) - _GAP_Y
    place: dict[str, tuple[float, float]] = {}
    for row, layer in enumerate(layers):
        left = (width - len(layer) * (_WIDTH + _GAP_X) + _GAP_X) / 2
        for column, name in enumerate(layer):
            place[name] = (left + column * (_WIDTH + _GAP_X), _MARGIN + row * (_HEIGHT + _GAP_Y))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="system-ui, sans-serif" font-size="13">',
        '<defs><marker id="arrow" viewBox="0 0 10 10" refX="10" refY="5" markerWidth="8" '
        'markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">'
        f'<path d="M 0 0 L 10 5 L 0 10 z" fill="{_EDGE}"/></marker></defs>',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        *(_line(place, needed, name) for name in place for needed in _direct(compiled, name)),
        *(_box(*place[name], name, _label(compiled, name)) for name in place),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _layers(compiled: Compiled) -> list[list[str]]:
    """Puts each task right above the first of those that wait for it, so that no line is long."""
    followers: dict[str, list[str]] = {name: [] for name in compiled.tasks}
    for name in compiled.tasks:
        for need in compiled.needs(name):
            followers[need].append(name)

    def height(name: str) -> int:
        return 1 + max((height(each) for each in followers[name]), default=-1)

    heights = {name: height(name) for name in sorted(compiled.tasks)}
    layers: list[list[str]] = [[] for _ in range(1 + max(heights.values()))]
    for name, value in heights.items():
        layers[len(layers) - 1 - value].append(name)
    return layers


def _direct(compiled: Compiled, name: str) -> list[str]:
    """Leaves out what is reached through another task, which would only clutter the drawing."""
    needs = compiled.needs(name)
    return sorted(
        need
        for need in needs
        if not any(need in compiled.before(other) for other in needs - {need})
    )


def _label(compiled: Compiled, name: str) -> str:
    resources = compiled.executor(name).container.resources
    parts = []
    if resources.cpu_limit:
        parts.append(f"{resources.cpu_limit:g} cores")
    if resources.memory_limit:
        parts.append(f"{resources.memory_limit:g} GB")
    if resources.accelerator.count:
        parts.append(f"{resources.accelerator.count} x {resources.accelerator.type}")
    return ", ".join(parts)


def _box(x: float, y: float, name: str, label: str) -> str:
    middle = x + _WIDTH / 2
    text = (
        f'<text x="{middle}" y="{y + (19 if label else 27)}" text-anchor="middle" '
        f'font-weight="600" fill="#12263a">{escape(name)}</text>'
    )
    if label:
        text += (
            f'<text x="{middle}" y="{y + 35}" text-anchor="middle" font-size="11" '
            f'fill="#51606f">{escape(label)}</text>'
        )
    return (
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="8" fill="#eaf2fb" '
        f'stroke="#3f7cb8"/>{text}'
    )


def _line(place: dict[str, tuple[float, float]], source: str, target: str) -> str:
    x1, y1 = place[source][0] + _WIDTH / 2, place[source][1] + _HEIGHT
    x2, y2 = place[target][0] + _WIDTH / 2, place[target][1]
    half = (y2 - y1) / 2
    return (
        f'<path d="M {x1} {y1} C {x1} {y1 + half} {x2} {y2 - half} {x2} {y2}" fill="none" '
        f'stroke="{_EDGE}" stroke-width="1.5" marker-end="url(#arrow)"/>'
    )
