import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_module.decision.operating_point import choose
from trainer_module.settings.trainer import OperatingPointSettings

PROBABILITIES = np.array([0.95, 0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.2, 0.1, 0.05], np.float32)
LABELS = np.array([1, 1, 1, 0, 1, 1, 0, 0, 0, 0])

predictions = st.lists(
    st.tuples(st.floats(0, 1, width=32), st.integers(0, 1)), min_size=2, max_size=60
).filter(lambda rows: len({label for _, label in rows}) == 2)


def chosen(rows, **settings):
    probabilities = np.array([each for each, _ in rows], np.float32)
    labels = np.array([label for _, label in rows])
    threshold = choose(probabilities, labels, OperatingPointSettings(**settings))
    return probabilities >= np.float32(threshold), labels == 1, threshold


@pytest.mark.parametrize(
    ("settings", "threshold"),
    [
        ({"target": "sensitivity", "sensitivity": 0.6}, 0.75),
        ({"target": "sensitivity", "sensitivity": 0.61}, 0.5),
        ({"target": "sensitivity", "sensitivity": 1.0}, 0.35),
        # 5 of 5 with 1 alarm: 1 - 1/5.
        ({"target": "youden"}, 0.35),
        # Two missed cost 2, one alarm less costs 10.
        ({"target": "cost", "cost_of_missing": 0.1}, 0.75),
        ({"target": "cost", "cost_of_missing": 5}, 0.35),
        ({"target": "fixed", "threshold": 0.42}, 0.42),
    ],
)
def test_the_threshold_is_between_two_probabilities(settings, threshold):
    found = choose(PROBABILITIES, LABELS, OperatingPointSettings(**settings))
    assert found == pytest.approx(threshold, abs=1e-6)


@pytest.mark.parametrize("labels", [np.zeros(10, int), np.ones(10, int)])
def test_without_one_class_the_fixed_one_is_taken(labels):
    assert choose(PROBABILITIES, labels, OperatingPointSettings()) == 0.5


@given(predictions, st.floats(0.05, 1))
def test_the_sensitivity_is_reached_and_a_higher_threshold_would_miss_it(rows, aim):
    message, pneumonia, threshold = chosen(rows, target="sensitivity", sensitivity=aim)
    assert message[pneumonia].mean() >= aim - 1e-9
    assert 0 <= threshold <= 1
    probabilities = np.array([each for each, _ in rows], np.float32)
    higher = probabilities > probabilities[message].min()
    assert higher[pneumonia].mean() < aim


@given(predictions)
def test_no_probability_as_threshold_has_a_greater_youden_index(rows):
    message, pneumonia, _ = chosen(rows, target="youden")
    best = message[pneumonia].mean() - message[~pneumonia].mean()
    for threshold, _ in rows:
        other = np.array([each for each, _ in rows], np.float32) >= np.float32(threshold)
        assert other[pneumonia].mean() - other[~pneumonia].mean() <= best + 1e-9


@pytest.mark.parametrize(
    ("labels", "cost", "threshold"),
    [
        # Each pneumonia that is found costs more alarms than it is worth.
        ([0, 0, 0, 0, 0, 1, 1, 0, 0, 0], 0.5, 0.975),
        ([0, 0, 0, 0, 0, 1, 1, 0, 0, 0], 5, 0.25),
        # The lowest one is found with all others.
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 20, 0.025),
    ],
)
def test_to_predict_one_label_alone_may_be_cheapest(labels, cost, threshold):
    settings = OperatingPointSettings(target="cost", cost_of_missing=cost)
    found = choose(PROBABILITIES, np.array(labels), settings)
    assert found == pytest.approx(threshold, abs=1e-6)


@given(predictions, st.floats(0.01, 100))
def test_no_probability_as_threshold_costs_less(rows, cost):
    message, pneumonia, threshold = chosen(rows, target="cost", cost_of_missing=cost)
    assert 0 <= threshold <= 1
    probabilities = np.array([each for each, _ in rows], np.float32)

    def price(is_predicted):
        return cost * (pneumonia & ~is_predicted).sum() + (~pneumonia & is_predicted).sum()

    least = min(price(probabilities >= each) for each in [*probabilities, 0.0])
    if probabilities.max() < 1:
        least = min(least, price(np.zeros(len(rows), bool)))
    assert price(message) == pytest.approx(least)
