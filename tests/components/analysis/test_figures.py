import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from components.analysis.figures import BINS, auc_of, figures, told_positive

# Few different values, so that ties are common.
PROBABILITIES = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.5000001, 0.75, 0.9, 1.0])
PICTURES = st.lists(st.tuples(st.booleans(), PROBABILITIES), min_size=1, max_size=25)


def once(pictures, threshold=0.5):
    label, probability = map(np.array, zip(*pictures, strict=True))
    found = figures(label, probability, threshold, np.ones((1, len(label))))
    return {name: value[0] for name, value in found.items()}


def pairs(pictures):
    ill = [probability for label, probability in pictures if label]
    well = [probability for label, probability in pictures if not label]
    return list(itertools.product(ill, well))


@given(PICTURES)
def test_auc_is_the_share_of_pairs_in_order_where_a_tie_counts_a_half(pictures):
    compared = [(a > b) + (a == b) / 2 for a, b in pairs(pictures)]
    expected = np.mean(compared) if compared else np.nan
    assert once(pictures)["auc"] == pytest.approx(expected, nan_ok=True)


@given(PICTURES)
def test_average_precision_is_the_mean_precision_over_the_ill(pictures):
    told = [
        [label for label, other in pictures if other >= probability]
        for label, probability in pictures
        if label
    ]
    expected = np.mean([np.mean(labels) for labels in told]) if pairs(pictures) else np.nan
    assert once(pictures)["pr_auc"] == pytest.approx(expected, nan_ok=True)


@given(PICTURES, PROBABILITIES)
def test_shares_count_right_answers(pictures, threshold):
    label, probability = map(np.array, zip(*pictures, strict=True))
    right = told_positive(probability, threshold) == label

    def share(chosen):
        return right[chosen].mean() if chosen.any() else np.nan

    found = once(pictures, threshold)
    assert found["accuracy"] == pytest.approx(right.mean())
    assert found["sensitivity"] == pytest.approx(share(label), nan_ok=True)
    assert found["specificity"] == pytest.approx(share(~label), nan_ok=True)


@given(PICTURES)
def test_brier_and_calibration_error(pictures):
    found = once(pictures)
    label, probability = map(np.array, zip(*pictures, strict=True))
    assert found["brier"] == pytest.approx(np.mean((probability - label) ** 2))
    parts = []
    for index in range(BINS):
        low, high = index / BINS, (index + 1) / BINS
        here = (probability >= low) & ((probability < high) | (index == BINS - 1))
        if here.any():
            parts.append(here.mean() * abs(probability[here].mean() - label[here].mean()))
    assert found["ece"] == pytest.approx(sum(parts))


@given(PICTURES, st.data())
def test_a_weight_is_so_many_copies_of_the_picture(pictures, data):
    weights = data.draw(arrays(np.float64, len(pictures), elements=st.integers(0, 3).map(float)))
    copies = [
        each for each, weight in zip(pictures, weights, strict=True) for _ in range(int(weight))
    ]
    if not copies:
        return
    label, probability = map(np.array, zip(*pictures, strict=True))
    weighted = figures(label, probability, 0.5, np.stack([weights, np.ones_like(weights)]))
    assert {name: value[0] for name, value in weighted.items()} == pytest.approx(
        once(copies), nan_ok=True
    )
    assert {name: value[1] for name, value in weighted.items()} == pytest.approx(
        once(pictures), nan_ok=True
    )


def test_a_probability_at_the_threshold_is_told_positive_as_the_model_does_in_float32():
    threshold = 0.1
    served = float(np.float32(threshold))
    assert served != threshold
    assert told_positive(np.array([served, threshold]), threshold).all()
    assert not told_positive(np.array([np.nextafter(np.float32(0.1), np.float32(0))]), threshold)


def test_perfect_answers():
    found = once([(True, 1.0)] * 3 + [(False, 0.0)] * 2)
    assert found == {
        **dict.fromkeys(("auc", "pr_auc", "accuracy", "sensitivity", "specificity"), 1.0),
        "ece": 0.0,
        "brier": 0.0,
    }


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1)), min_size=1, max_size=40))
def test_the_auc_of_values_is_none_where_a_class_is_absent(judged):
    levels, labels = np.array(judged).T
    pairs = [
        (high > low) + (high == low) / 2
        for high in levels[labels == 1]
        for low in levels[labels == 0]
    ]
    wanted = pytest.approx(np.mean(pairs)) if pairs else None
    assert auc_of(labels == 1, levels / 5) == wanted
