import math
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from serving.report.drawing.axes import Axes, ticks, widened

numbers = st.floats(-1e6, 1e6)


@given(numbers, numbers, st.floats(allow_nan=False))
def test_every_value_is_within_the_plane(low, high, value):
    assume(high - low > 1e-6)
    axes = Axes(x=(low, high), y=(low, high))
    assert axes.left - 1e-6 <= axes.across(value) <= axes.right + 1e-6
    assert axes.top - 1e-6 <= axes.up(value) <= axes.bottom + 1e-6


@given(st.lists(st.floats(0, 1), min_size=2, max_size=2, unique=True))
def test_more_is_further_to_the_right_and_higher(values):
    less, more = sorted(values)
    axes = Axes()
    assert axes.across(less) <= axes.across(more)
    assert axes.up(less) >= axes.up(more)


def test_the_ends_of_the_range_are_at_the_edges():
    axes = Axes(x=(2, 4), y=(-1, 1), width=100, height=50, margins=(10, 20, 5, 15))
    assert (axes.across(2), axes.across(3), axes.across(4)) == (10, 45, 80)
    assert (axes.up(-1), axes.up(0), axes.up(1)) == (35, 20, 5)


def test_a_band_goes_along_its_upper_edge_and_back_along_its_lower_one():
    axes = Axes(width=10, height=10, margins=(0, 0, 0, 0))
    drawn = axes.band([0, 1], [0.1, 0.2], [0.5, 0.6], "band")
    assert 'points="0.0,5.0 10.0,4.0 10.0,8.0 0.0,9.0"' in drawn


@given(numbers, numbers, st.integers(2, 10))
def test_ticks_are_few_evenly_spaced_and_in_the_range(low, high, most):
    assume(high - low > 1e-3)
    found = ticks(low, high, most)
    room = (high - low) * 1e-6
    assert len(found) <= most
    assert all(low - room <= each <= high + room for each in found)
    steps = [after - before for before, after in pairwise(found)]
    assert all(math.isclose(step, steps[0], rel_tol=1e-6) for step in steps)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.5, 1, [0.5, 0.6, 0.7, 0.8, 0.9, 1]),
        (1, 17, [5, 10, 15]),
        (1, 2, [1, 1.2, 1.4, 1.6, 1.8, 2]),
        (0.13, 0.19, [0.14, 0.16, 0.18]),
    ],
)
def test_ticks_are_round(low, high, expected):
    assert ticks(low, high) == expected


@given(st.lists(st.floats(0, 1), min_size=1))
def test_a_widened_range_holds_its_values_and_keeps_its_bounds(values):
    low, high = widened(values, least=0.0, most=1.0)
    assert 0 <= low < high
    assert low <= min(values)
    assert high >= max(values)


def test_a_range_of_negative_values_is_widened_too():
    low, high = widened([-0.2, 0.1])
    assert low < -0.2
    assert high > 0.1


def test_a_drawing_shows_what_it_shows_to_those_who_do_not_see_it():
    drawn = Axes().drawing("A <curve>")
    assert 'role="img"' in drawn
    assert "<title>A &lt;curve&gt;</title>" in drawn
