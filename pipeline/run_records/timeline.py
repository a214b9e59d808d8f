"""Drawing of a run's time by component."""

import math
from typing import Final
from xml.sax.saxutils import escape

from pipeline.run_records.run_record import ComponentRecord, RunRecord, StepRecord

_ROW: Final = 26
_TOP: Final = 80
_AXIS: Final = (210, 780)
_SECONDS, _SHARE, _MEMORY = 858, 920, 1000
_WIDTH: Final = 1020
_BAR: Final = 16

_INK, _GREY, _RULE = "#12263a", "#51606f", "#dfe5eb"
_COLOURS: Final = {
    "": "#8aa4bd",
    "finished": "#3f7cb8",
    "cached": "#9fd3b4",
    "failed": "#b3261e",
}


def svg(record: RunRecord) -> str:
    """Draws each step and component of a run that has ended as a bar over its seconds.

    Args:
        record: the run.

    Returns:
        An SVG that needs nothing else.
    """
    steps = [*record.steps, *record.components]
    between = record.seconds - sum(step.seconds for step in steps)
    bottom = _TOP + _ROW * len(steps)
    height = bottom + _ROW + 16
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" font-family="system-ui, sans-serif" font-size="13" '
        f'fill="{_INK}">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="20" y="32" font-size="17" font-weight="600">Run {escape(record.id)}: '
        f"{record.seconds:.1f} s</text>",
        *_axis(record.seconds, bottom),
        _text(_SECONDS, _TOP - 12, "seconds", _GREY),
        _text(_SHARE, _TOP - 12, "share", _GREY),
        _text(_MEMORY, _TOP - 12, "peak GB", _GREY),
    ]
    for index, step in enumerate(steps):
        y = _TOP + _ROW * index + 18
        lines += [
            f'<text x="20" y="{y}">{_name(step)}</text>',
            _bar(step, record.seconds, y - 13),
            *_figures(step.seconds, record.seconds, y),
            _text(_MEMORY, y, f"{step.peak_memory / 1e9:.1f}"),
        ]
    lines += [
        f'<text x="20" y="{bottom + 18}" fill="{_GREY}">Between them</text>',
        *_figures(between, record.seconds, bottom + 18, _GREY),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _state(step: StepRecord) -> str:
    return step.state if isinstance(step, ComponentRecord) else ""


def _name(step: StepRecord) -> str:
    state = _state(step)
    suffix = f'<tspan fill="{_GREY}">, {state}</tspan>' if state in ("cached", "failed") else ""
    return escape(step.name) + suffix


def _place(second: float, whole: float) -> float:
    left, right = _AXIS
    return left + (right - left) * second / whole


def _bar(step: StepRecord, whole: float, y: float) -> str:
    x = _place(step.start, whole)
    # A pixel and a half shows what took next to no time.
    width = max(1.5, _place(step.start + step.seconds, whole) - x)
    return (
        f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_BAR}" '
        f'fill="{_COLOURS[_state(step)]}"/>'
    )


def _axis(seconds: float, bottom: float) -> list[str]:
    tick = _tick(seconds)
    lines = []
    for index in range(int(seconds / tick) + 1):
        x = _place(index * tick, seconds)
        lines.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 4}" y2="{bottom}" stroke="{_RULE}"/>'
        )
        label = f"{index * tick:g} s"
        lines.append(
            f'<text x="{x:.1f}" y="{_TOP - 12}" text-anchor="middle" fill="{_GREY}">{label}</text>'
        )
    return lines


def _tick(seconds: float) -> float:
    """The smallest of 1, 2, 5, 10, ... that parts so many seconds into ten at most."""
    power = 10.0 ** math.floor(math.log10(seconds / 10))
    return next(step * power for step in (1, 2, 5, 10) if step * power * 10 >= seconds)


def _figures(seconds: float, whole: float, y: float, colour: str = _INK) -> list[str]:
    return [
        _text(_SECONDS, y, f"{seconds:.1f}", colour),
        _text(_SHARE, y, f"{seconds / whole:.1%}", colour),
    ]


def _text(right: float, y: float, text: str, colour: str = _INK) -> str:
    return f'<text x="{right}" y="{y}" text-anchor="end" fill="{colour}">{text}</text>'
