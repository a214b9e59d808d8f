import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from serving.analysis.figures import BINS, auc_of, figures, predicted_positive

# Few different values, so that ties are common.
PROBABILITIES = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.5000001, 0.75, 0.9, 1.0])
IMAGES = st.lists(st.tuples(st.booleans(), PROBABILITIES), min_size=1, max_size=25)


def once(images, threshold=0.5):
    label, probability = map(np.array, zip(*images, strict=True))
    found = figures(label, probability, threshold, np.ones((1, len(label))))
    return {name: value[0] for name, value in found.items()}


def pairs(images):
    ill = [probability for label, probability in images if label]
    well = [probability for label, probability in images if not label]
    return list(itertools.product(ill, well))


@given(IMAGES)
def test_auc_is_the_share_of_pairs_in_order_where_a_tie_counts_a_half(images):
    compared = [(a > b) + (a == b) / 2 for a, b in pairs(images)]
    expected = np.mean(compared) if compared else np.nan
    assert once(images)["auc"] == pytest.approx(expected, nan_ok=True)


@given(IMAGES)
def test_average_precision_is_the_mean_precision_over_the_ill(images):
    message = [
        [label for label, other in images if other >= probability]
        for label, probability in images
        if label
    ]
    expected = np.mean([np.mean(labels) for labels in message]) if pairs(images) else np.nan
    assert once(images)["pr_auc"] == pytest.approx(expected, nan_ok=True)


@given(IMAGES, PROBABILITIES)
def test_shares_count_right_predictions(images, threshold):
    label, probability = map(np.array, zip(*images, strict=True))
    right = predicted_positive(probability, threshold) == label

    def share(chosen):
        return right[chosen].mean() if chosen.any() else np.nan

    found = once(images, threshold)
    assert found["accuracy"] == pytest.approx(right.mean())
    assert found["sensitivity"] == pytest.approx(share(label), nan_ok=True)
    assert found["specificity"] == pytest.approx(share(~label), nan_ok=True)


@given(IMAGES)
def test_brier_and_calibration_error(images):
    found = once(images)
    label, probability = map(np.array, zip(*images, strict=True))
    assert found["brier"] == pytest.approx(np.mean((probability - label) ** 2))
    parts = []
    for index in range(BINS):
        low, high = index / BINS, (index + 1) / BINS
        here = (probability >= low) & ((probability < high) | (index == BINS - 1))
        if here.any():
            parts.append(here.mean() * abs(probability[here].mean() - label[here].mean()))
    assert found["ece"] == pytest.approx(sum(parts))


@given(IMAGES, st.data())
def test_a_weight_is_so_many_copies_of_the_image(images, data):
    weights = data.draw(arrays(np.float64, len(images), elements=st.integers(0, 3).map(float)))
    copies = [
        each for each, weight in zip(images, weights, strict=True) for _ in range(int(weight))
    ]
    if not copies:
        return
    label, probability = map(np.array, zip(*images, strict=True))
    weighted = figures(label, probability, 0.5, np.stack([weights, np.ones_like(weights)]))
    assert {name: value[0] for name, value in weighted.items()} == pytest.approx(
        once(copies), nan_ok=True
    )
    assert {name: value[1] for name, value in weighted.items()} == pytest.approx(
        once(images), nan_ok=True
    )


def test_a_probability_at_the_threshold_is_positive_as_in_the_models_float32():
    threshold = 0.1
    served = float(np.float32(threshold))
    assert served != threshold
    assert predicted_positive(np.array([served, threshold]), threshold).all()
    assert not predicted_positive(
        np.array([np.nextafter(np.float32(0.1), np.float32(0))]), threshold
    )


def test_perfect_predictions():
    found = once([(True, 1.0)] * 3 + [(False, 0.0)] * 2)
    assert found == {
        **dict.fromkeys(("auc", "pr_auc", "accuracy", "sensitivity", "specificity"), 1.0),
        "ece": 0.0,
        "brier": 0.0,
    }


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1)), min_size=1, max_size=40))
def test_the_auc_of_values_is_none_where_a_class_is_absent(predicted):
    levels, labels = np.array(predicted).T
    pairs = [
        (high > low) + (high == low) / 2
        for high in levels[labels == 1]
        for low in levels[labels == 0]
    ]
    wanted = pytest.approx(np.mean(pairs)) if pairs else None
    assert auc_of(labels == 1, levels / 5) == wanted
