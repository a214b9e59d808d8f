import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from trainer_module.decision.calibration import Calibration, fit


def sample(slope, shift, count=20_000, seed=0):
    """Images whose true logit is ``slope * logit + shift`` of what the model says."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0.5, 2.0, count)
    truth = 1 / (1 + np.exp(-(slope * logits + shift)))
    labels = (generator.random(count) < truth).astype(int)
    return (1 / (1 + np.exp(-logits))).astype(np.float32), labels


@pytest.mark.parametrize(("slope", "shift"), [(1.0, 0.0), (0.4, 0.0), (0.6, 1.5), (2.5, -0.7)])
def test_platt_finds_slope_and_shift(slope, shift):
    found = fit(*sample(slope, shift), "platt")
    assert found.slope == pytest.approx(slope, rel=0.06)
    assert found.shift == pytest.approx(shift, abs=0.08)


@pytest.mark.parametrize("slope", [0.3, 1.0, 2.0])
def test_temperature_finds_the_slope_alone(slope):
    found = fit(*sample(slope, 0.0), "temperature")
    assert found.slope == pytest.approx(slope, rel=0.06)
    assert found.shift == 0


def test_what_is_calibrated_is_as_often_right_as_it_says():
    probabilities, labels = sample(0.4, 1.0)
    calibrated = fit(probabilities, labels, "platt")(tf.constant(probabilities)).numpy()
    for message in np.array_split(np.argsort(calibrated), 10):
        assert labels[message].mean() == pytest.approx(calibrated[message].mean(), abs=0.04)
    assert abs(probabilities.mean() - labels.mean()) > 0.05


def test_a_perfect_separation_ends_in_a_finite_slope():
    labels = np.arange(200) % 2
    found = fit(np.where(labels == 1, 0.9, 0.1).astype(np.float32), labels, "platt")
    assert 1 < found.slope < 5
    high = found(tf.constant([0.9])).numpy()
    # Platt's target for the positives: (100 + 1) / (100 + 2).
    assert high == pytest.approx(101 / 102, abs=1e-3)


@pytest.mark.parametrize("labels", [[0, 0, 0], [1, 1, 1]])
def test_one_class_says_nothing(labels):
    found = fit(np.array([0.2, 0.5, 0.9], np.float32), np.array(labels), "platt")
    assert found == Calibration()


def test_a_model_that_is_wrong_way_round_is_not_turned():
    probabilities, labels = sample(-1.0, 0.0, count=500)
    assert fit(probabilities, labels, "platt") == Calibration()


def test_none_changes_nothing():
    probabilities, labels = sample(0.4, 1.0, count=500)
    found = fit(probabilities, labels, "none")
    np.testing.assert_allclose(found(tf.constant(probabilities)).numpy(), probabilities, atol=2e-6)


@given(
    st.lists(st.tuples(st.floats(0, 1, width=32), st.integers(0, 1)), min_size=2, max_size=60),
    st.sampled_from(["platt", "temperature"]),
)
def test_any_outputs_are_calibrated_to_probabilities_in_their_order(predictions, method):
    probabilities = np.array([each for each, _ in predictions], np.float32)
    found = fit(probabilities, np.array([label for _, label in predictions]), method)
    assert found.slope > 0
    assert np.isfinite([found.slope, found.shift]).all()
    calibrated = found(tf.constant(np.sort(probabilities))).numpy()
    assert np.isfinite(calibrated).all()
    assert ((calibrated >= 0) & (calibrated <= 1)).all()
    assert (np.diff(calibrated) >= -1e-6).all()
