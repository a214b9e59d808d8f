import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transform_module.images.distribution import BINS, shares, summarise

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60).map(np.array)


@given(VALUES)
def test_shares_are_of_everything(values):
    found = summarise(values)
    assert len(found.shares) == len(found.edges) + 1 <= BINS
    assert sum(found.shares) == pytest.approx(1)
    assert found.edges == sorted(set(found.edges))
    assert found.mean == pytest.approx(values.mean())


def test_many_values_are_spread_evenly():
    found = summarise(np.random.default_rng(0).normal(size=5000))
    assert found.shares == pytest.approx([0.1] * BINS, abs=0.002)


def test_a_constant_has_one_edge():
    found = summarise(np.full(9, 3.0))
    assert (found.edges, found.shares) == ([3.0], [0.0, 1.0])


def test_ranges_begin_at_their_edge():
    assert shares(np.array([0.5, 1.0, 1.5, 2.0]), [1.0, 2.0]) == [0.25, 0.5, 0.25]


def test_a_range_that_holds_nothing_has_no_share():
    assert shares(np.array([0.5, 0.7]), [1.0, 2.0]) == [1.0, 0.0, 0.0]
