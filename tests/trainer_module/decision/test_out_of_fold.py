"""On members that are drawn: signal and noise are known, and so is what the average says."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_module.decision import calibration, out_of_fold
from trainer_module.decision.out_of_fold import Predictions

IMAGES = 20_000
MEMBERS = 5


def drawn(seed=0, *, correlation, shifts=(0.0,) * MEMBERS):
    """Logits [members, images] that agree within the classes by a correlation, and labels."""
    generator = np.random.default_rng(seed)
    labels = (generator.random(IMAGES) < 0.7).astype(int)
    common = generator.normal(size=IMAGES) * np.sqrt(correlation)
    own = generator.normal(size=(MEMBERS, IMAGES)) * np.sqrt(1 - correlation)
    logits = 1.5 * (2 * labels - 1) + 1.8 * (common + own) + np.array(shifts)[:, None]
    return logits, labels


def probabilities(logits):
    return (1 / (1 + np.exp(-logits))).astype(np.float32)


def member_predictions(logits, labels):
    fold = np.arange(IMAGES) % MEMBERS
    return [
        Predictions(
            probabilities(logits[member, fold == member]),
            labels[fold == member],
            np.flatnonzero(fold == member),
            probabilities(logits[member, fold == (member + 1) % MEMBERS]),
        )
        for member in range(MEMBERS)
    ]


def ece(message, labels):
    bins = np.minimum((message * 10).astype(int), 9)
    gaps = [
        abs(message[bins == each].mean() - labels[bins == each].mean()) * (bins == each).mean()
        for each in range(10)
        if (bins == each).any()
    ]
    return sum(gaps)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_the_agreement_of_members_is_found(correlation):
    found = out_of_fold.agreement(member_predictions(*drawn(correlation=correlation)))
    assert found == pytest.approx(correlation, abs=0.03)


def test_members_that_say_the_same_of_all_agree():
    half, labels = np.full(4, 0.5, np.float32), np.array([0, 1, 0, 1])
    same = Predictions(half, labels, np.arange(4), half)
    assert out_of_fold.agreement([same, same]) == 1.0


@pytest.mark.parametrize("correlation", [0.2, 0.7])
def test_an_average_calibrated_so_is_right_about_images_that_are_new(correlation):
    shifts = (-0.5, 0.8, 0.0, 0.4, -0.2)
    message = member_predictions(*drawn(correlation=correlation, shifts=shifts))
    labels = np.concatenate([each.labels for each in message])
    new, new_labels = drawn(1, correlation=correlation, shifts=shifts)
    average = tf.constant(probabilities(new.mean(axis=0)))
    errors = {}
    for name, agreement in {"members'": 1.0, "average's": out_of_fold.agreement(message)}.items():
        fitted = calibration.fit(out_of_fold.as_average(message, agreement), labels, "platt")
        errors[name] = ece(fitted(average).numpy(), new_labels)
    assert errors["average's"] < 0.01
    assert errors["average's"] < errors["members'"] / 2


@settings(max_examples=20)
@given(st.floats(0, 1))
def test_drawing_together_keeps_the_order_within_a_class_of_a_fold(agreement):
    message = member_predictions(*drawn(correlation=0.5))[:2]
    found = np.split(out_of_fold.as_average(message, agreement), [len(message[0].labels)])
    for predictions, average in zip(message, found, strict=True):
        for label in (0, 1):
            of_class = predictions.labels == label
            order = np.argsort(predictions.probabilities[of_class])
            assert (np.diff(average[of_class][order]) >= 0).all()


def test_a_fold_of_a_member_that_says_more_of_all_is_brought_to_the_others():
    shifts = (3.0, 0.0, 0.0, 0.0, 0.0)
    message = member_predictions(*drawn(correlation=0.5, shifts=shifts))
    first, *others = np.split(out_of_fold.as_average(message, 1.0), MEMBERS)
    assert first.mean() == pytest.approx(np.mean(others), abs=0.02)
