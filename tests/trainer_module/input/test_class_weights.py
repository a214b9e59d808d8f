import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_module.input.class_weights import balanced


def test_rare_classes_weigh_more():
    assert balanced([25, 75]) == pytest.approx((2.0, 2 / 3))


@given(st.lists(st.integers(1, 10**6), min_size=2, max_size=5))
def test_the_mean_weight_is_one_and_classes_share_alike(counts):
    weights = balanced(counts)
    shares = [weight * count for weight, count in zip(weights, counts, strict=True)]
    assert sum(shares) == pytest.approx(sum(counts))
    assert shares == pytest.approx([shares[0]] * len(shares))


def test_a_missing_class_weighs_nothing():
    assert balanced([0, 10])[0] == 0
