import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from trainer_module.settings.trainer import TrainerSettings
from trainer_module.training.losses import clipping, losses

PROBABILITIES = np.array([0.1, 0.5, 0.9], np.float32)


def loss(label, **settings):
    labels = np.full_like(PROBABILITIES, label)
    return losses(labels, PROBABILITIES, TrainerSettings(**settings)).numpy()


def test_the_default_is_cross_entropy():
    np.testing.assert_allclose(loss(1), -np.log(PROBABILITIES), rtol=1e-5)
    np.testing.assert_allclose(loss(0), -np.log(1 - PROBABILITIES), rtol=1e-5)


def test_the_focal_loss_is_lins():
    expected = -((1 - PROBABILITIES) ** 2) * np.log(PROBABILITIES)
    np.testing.assert_allclose(loss(1, focal_gamma=2), expected, rtol=1e-5)


def test_smoothing_trains_towards_less_than_certainty():
    smoothed = loss(1, label_smoothing=0.2)
    np.testing.assert_allclose(smoothed, 0.9 * loss(1) + 0.1 * loss(0), rtol=1e-5)
    assert smoothed.argmin() == 2


@examples(max_examples=30)
@given(
    label=st.sampled_from([0.0, 0.3, 1.0]),
    probability=st.floats(0, 1, width=32),
    gamma=st.floats(0, 5),
    smoothing=st.floats(0, 0.5),
)
def test_losses_and_gradients_are_finite(label, probability, gamma, smoothing):
    settings = TrainerSettings(focal_gamma=gamma, label_smoothing=smoothing)
    probabilities = tf.constant([probability])
    with tf.GradientTape() as tape:
        tape.watch(probabilities)
        found = losses(tf.constant([label]), probabilities, settings)
    assert np.isfinite(found).all()
    assert (found.numpy() >= 0).all()
    assert np.isfinite(tape.gradient(found, probabilities)).all()


@pytest.mark.parametrize(("norm", "factor"), [(2.5, 0.5), (5, 1), (7, 1)])
def test_what_is_too_long_is_clipped(norm, factor):
    gradients = [tf.constant([3.0]), tf.constant([[0.0, 4.0]])]
    assert clipping(gradients, norm).numpy() == pytest.approx(factor)
