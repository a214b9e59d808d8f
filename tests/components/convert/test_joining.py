import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from components.convert import joining
from components.convert.joining import Joined, Pairs

numbers = st.one_of(st.integers(-3, 8), st.integers(-(2**63), 2**63 - 1))
some_pairs = st.lists(st.tuples(numbers, numbers), max_size=30)


def connected(pairs):
    """The least number that each is connected with, the slow way."""
    least = {number: number for pair in pairs for number in pair}
    for _ in least:
        for one, other in pairs:
            least[one] = least[other] = min(least[one], least[other])
    return least


@given(pairs=some_pairs, most=st.sampled_from([1, 5, 1000]), cut=st.integers(0, 30))
def test_what_pairs_connect_has_the_least_number_in_common(pairs, most, cut):
    before = joining._MOST_PAIRS, joining._MOST_PARTS
    joining._MOST_PAIRS, joining._MOST_PARTS = most, 4
    try:
        whole = Pairs()
        for part in (pairs[cut:], pairs[:cut]):
            for pair in part:
                whole += Pairs(np.array([pair], np.int64))
        joined = whole.joined()
    finally:
        joining._MOST_PAIRS, joining._MOST_PARTS = before
    expected = connected(pairs)
    assert dict(zip(joined.numbers.tolist(), joined.first.tolist(), strict=True)) == expected
    assert {number: joined.of(number, 99) for number in expected} == expected
    assert joined.of(10, 99) == expected.get(10, 99)


def test_nothing_is_connected_with_nothing():
    assert Pairs().joined().of(1, -1) == Joined.nothing().of(1, -1) == -1
    assert not Joined.nothing().among(np.array([1, 2])).any()
