import re
from xml.etree import ElementTree

import pytest

from pipeline.run_records.run_record import StepRecord
from pipeline.run_records.timeline import svg
from tests.pipeline import records

SVG = "{http://www.w3.org/2000/svg}"
START = StepRecord(name="Start <all> & more", start=0.0, seconds=2.0, peak_memory=4 * 10**8)
TRAINER = records.component(start=2.5, seconds=5.0, peak_memory=2 * 10**9)


def draw(*components, seconds=10.0, steps=(START,)):
    record = records.run(seconds=seconds, steps=list(steps), components=list(components))
    return ElementTree.fromstring(svg(record))


def texts(drawn):
    return ["".join(text.itertext()) for text in drawn.iter(f"{SVG}text")]


def bars(drawn):
    """Left, width and colour of each bar; the first rectangle is the background."""
    _, *found = drawn.iter(f"{SVG}rect")
    return [(float(bar.get("x")), float(bar.get("width")), bar.get("fill")) for bar in found]


def test_each_step_shows_its_seconds_its_share_and_its_memory():
    message = texts(draw(TRAINER))
    row = message.index("Trainer")
    assert message[0] == "Run 20260301-120000: 10.0 s"
    assert message[row - 4 : row] == ["Start <all> & more", "2.0", "20.0%", "0.4"]
    assert message[row : row + 4] == ["Trainer", "5.0", "50.0%", "2.0"]
    assert message[-3:] == ["Between them", "3.0", "30.0%"]


def test_a_bar_lies_where_its_time_does():
    (first, second) = bars(draw(TRAINER))
    left, second_of_run = first[0], first[1] / 2
    assert second[:2] == pytest.approx((left + 2.5 * second_of_run, 5 * second_of_run), abs=0.2)


def test_what_took_no_time_can_be_seen():
    ((_, width, _),) = bars(draw(records.component(seconds=0.0), steps=()))
    assert width > 1


def test_cached_and_failed_components_are_reported():
    states = ("finished", "cached", "failed")
    drawn = draw(*(records.component(name, state=name) for name in states))
    assert {"finished", "cached, cached", "failed, failed"} <= set(texts(drawn))
    assert len({colour for _, _, colour in bars(drawn)}) == 4


@pytest.mark.parametrize(
    ("seconds", "ticks"),
    [
        (0.4, "0 0.05 0.1 0.15 0.2 0.25 0.3 0.35 0.4"),
        (7.5, "0 1 2 3 4 5 6 7"),
        (10.0, "0 1 2 3 4 5 6 7 8 9 10"),
        (83.2, "0 10 20 30 40 50 60 70 80"),
        (7200.0, "0 1000 2000 3000 4000 5000 6000 7000"),
    ],
)
def test_the_axis_has_round_seconds(seconds, ticks):
    message = [
        text[:-2] for text in texts(draw(seconds=seconds)) if re.fullmatch(r"[\d.]+ s", text)
    ]
    assert " ".join(message) == ticks
