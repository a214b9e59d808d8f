import math
import re
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.analysis.findings import Curve, Estimate, ReliabilityBin
from serving.report.drawing import drawings
from serving.report.drawing.axes import Axes

shares = st.floats(0, 1)
_NUMBER = re.compile(r"-?\d+\.?\d*(?:e[+-]?\d+)?|nan|inf")


def elements(drawing: str, name: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(drawing).iter(name))


def assert_within(drawing: str) -> None:
    """Asserts that all that is drawn is finite and within the drawing."""
    root = ElementTree.fromstring(drawing)
    width, height = map(float, root.attrib["viewBox"].split()[2:])
    for each in root.iter():
        for name, most in (("x", width), ("y", height), ("cx", width), ("cy", height)):
            for key in (name, f"{name}1", f"{name}2"):
                if key in each.attrib:
                    assert 0 <= float(each.attrib[key]) <= most
        for point in each.attrib.get("points", "").split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= width
            assert 0 <= y <= height
        for key in ("width", "height"):
            if each.tag == "rect":
                assert float(each.attrib[key]) >= 0


@st.composite
def curves(draw):
    count = draw(st.integers(1, 12))
    x = sorted(draw(st.lists(shares, min_size=count, max_size=count)))
    y, low, high = (draw(st.lists(shares, min_size=count, max_size=count)) for _ in range(3))
    return Curve(x, y, low, high)


estimates = st.builds(Estimate, *(st.none() | st.floats(-2, 2, allow_nan=False) for _ in range(3)))


@given(curves(), st.none() | shares, st.none() | shares)
def test_any_curve_is_drawn_within_its_drawing(curve, x, y):
    drawn = drawings.curve(
        "ROC", curve, x_label="x", y_label="y", chance=((0, 0), (1, 1)), point=(x, y)
    )
    assert_within(drawn)
    points = [each for each in elements(drawn, "circle") if each.attrib["class"] == "point"]
    assert len(points) == (x is not None and y is not None)


def test_a_curve_goes_through_its_points():
    curve = Curve([0, 0.5, 1], [0, 0.8, 1], [0, 0.7, 1], [0, 0.9, 1])
    drawn = drawings.curve(
        "ROC", curve, x_label="x", y_label="y", chance=((0, 0), (1, 1)), point=(None, None)
    )
    (line,) = (each for each in elements(drawn, "polyline") if each.attrib["class"] == "line")
    axes = Axes()
    x, y = map(float, line.attrib["points"].split()[1].split(","))
    assert math.isclose(x, axes.across(0.5), abs_tol=0.06)
    assert math.isclose(y, axes.up(0.8), abs_tol=0.06)


@given(
    st.lists(
        st.builds(
            ReliabilityBin,
            low=st.just(0.1),
            high=st.just(0.2),
            images=st.integers(0, 10**6),
            probability=st.none() | shares,
            share=st.builds(Estimate, *(st.none() | shares for _ in range(3))),
        ),
        max_size=10,
    )
)
def test_any_reliability_is_drawn_within_its_drawing(bins):
    assert_within(drawings.reliability("Reliability", bins))


def test_the_fullest_bin_has_the_highest_bar():
    bins = [
        ReliabilityBin(index / 10, (index + 1) / 10, images, 0.5, Estimate(0.5, 0.4, 0.6))
        for index, images in enumerate((5, 20, 10))
    ]
    drawn = drawings.reliability("Reliability", bins)
    heights = [float(each.attrib["height"]) for each in elements(drawn, "rect")]
    assert heights[1] > heights[2] > heights[0] > 0


@given(
    st.lists(st.floats(0, 10), min_size=1, max_size=30),
    st.lists(st.floats(0, 10), min_size=1, max_size=30),
)
def test_any_training_is_drawn_within_its_drawing(train, evaluated):
    lines = [("train line", _by_epoch(train)), ("line", _by_epoch(evaluated))]
    drawn = drawings.epochs("Loss", lines, best=1, y_label="loss", most=math.inf)
    assert_within(drawn)


def _by_epoch(values):
    return list(enumerate(values, start=1))


def test_the_best_epoch_is_marked_where_it_is():
    lines = [("line", _by_epoch([0.5, 0.9, 0.7]))]
    drawn = drawings.epochs("AUC", lines, best=2, y_label="AUC", most=1.0)
    (best,) = (each for each in elements(drawn, "line") if each.attrib["class"] == "best")
    axes = Axes()
    assert float(best.attrib["x1"]) == pytest.approx((axes.left + axes.right) / 2, abs=0.06)


@given(st.lists(shares, max_size=6), shares)
def test_any_strengths_are_drawn_within_their_drawing(values, least):
    assert_within(drawings.strengths("noise", list(enumerate(values)), min(least, 0.9)))


@given(estimates, st.none() | shares)
def test_any_interval_is_drawn_within_its_drawing(estimate, mark):
    assert_within(drawings.interval(estimate, (-1.0, 1.0), mark=mark))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_bar_is_no_longer_than_its_track(share):
    track, bar = elements(drawings.bar(share), "rect")
    assert 0 <= float(bar.attrib["width"]) <= float(track.attrib["width"])
