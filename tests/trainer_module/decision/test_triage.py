import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_module.decision import triage
from trainer_module.decision.calibration import Calibration
from trainer_module.decision.triage import Triage
from trainer_module.settings.trainer import TriageSettings

REPEATS = 400


def drawn(generator, patients, *, alike, trend):
    """Scores of patients, of whom those with more images may be more or less typical.

    Args:
        generator: draws.
        patients: how many.
        alike: share of the variance that the images of a patient have in common.
        trend: above 0 the less typical patients have more images, below 0 the more typical ones.

    Returns:
        Scores, and the patient of each.
    """
    own = generator.normal(size=patients)
    images = 1 + generator.poisson(np.exp(trend * own))
    patient = np.repeat(np.arange(patients), images)
    noise = generator.normal(size=len(patient))
    return np.sqrt(alike) * own[patient] + np.sqrt(1 - alike) * noise, patient


@settings(max_examples=40)
@given(
    patients=st.integers(5, 80),
    error_rate=st.sampled_from([0.02, 0.05, 0.1, 0.2]),
    alike=st.sampled_from([0.0, 0.5, 1.0]),
    trend=st.sampled_from([-1.5, 0.0, 1.5]),
    seed=st.integers(0, 2**32 - 1),
)
def test_an_image_of_a_new_patient_is_beyond_the_bound_as_often_as_allowed(
    patients, error_rate, alike, trend, seed
):
    generator = np.random.default_rng(seed)
    beyond = []
    for _ in range(REPEATS):
        scores, patient = drawn(generator, patients + 1, alike=alike, trend=trend)
        known = patient < patients
        image = generator.choice(np.flatnonzero(~known))
        beyond.append(scores[image] > triage.bound(scores[known], patient[known], error_rate))
    chance = 5 * math.sqrt(error_rate * (1 - error_rate) / REPEATS)
    assert np.mean(beyond) <= error_rate + chance
    # No more cautious than it has to be, either.
    assert np.mean(beyond) >= error_rate - 2 / (patients + 1) - chance


@given(
    scores=st.lists(st.floats(-10, 10), min_size=1, max_size=60), error_rate=st.floats(0.01, 0.99)
)
def test_of_an_image_a_patient_it_is_the_rank_of_split_conformal_prediction(scores, error_rate):
    found = triage.bound(np.array(scores), np.arange(len(scores)), error_rate)
    rank = math.ceil((len(scores) + 1) * (1 - error_rate) - 1e-6)
    assert found == ([-math.inf, *sorted(scores), math.inf][max(rank, 1)])


@given(patients=st.integers(0, 120), error_rate=st.floats(0.01, 0.99))
def test_too_few_patients_have_no_bound(patients, error_rate):
    found = triage.bound(np.zeros(patients), np.arange(patients), error_rate)
    assert math.isfinite(found) == (patients >= max(1, triage.least_patients(error_rate)))


@pytest.mark.parametrize(("error_rate", "patients"), [(0.05, 19), (0.02, 49), (0.1, 9), (0.3, 3)])
def test_an_error_rate_takes_patients(error_rate, patients):
    assert triage.least_patients(error_rate) == patients


def test_copies_of_images_of_one_patient_change_nothing():
    scores, patient = drawn(np.random.default_rng(3), 60, alike=0.5, trend=0.0)
    copies = np.where(patient == patient[scores.argmax()], 50, 1)
    assert triage.bound(np.repeat(scores, copies), np.repeat(patient, copies), 0.1) == (
        triage.bound(scores, patient, 0.1)
    )


def sort(sorter, probability, in_domain=True):
    given = tf.constant(probability, tf.float32)
    found = tf.function(sorter)(given, tf.fill(tf.shape(given), in_domain))
    return [each.decode() for each in found.numpy()]


def test_between_labels_that_are_both_typical_is_review():
    sorter = Triage(normal_up_to=0.75, pneumonia_from=0.25)
    given = [0.0, 0.2, 0.25, 0.5, 0.75, 0.8, 1.0]
    assert sort(sorter, given) == ["NORMAL"] * 2 + ["REVIEW"] * 3 + ["PNEUMONIA"] * 2


def test_between_labels_that_are_neither_typical_is_review():
    sorter = Triage(normal_up_to=0.25, pneumonia_from=0.75)
    given = [0.0, 0.25, 0.3, 0.5, 0.7, 0.75, 1.0]
    assert sort(sorter, given) == ["NORMAL"] * 2 + ["REVIEW"] * 3 + ["PNEUMONIA"] * 2


def test_an_image_out_of_domain_is_for_review_however_sure_the_model_is():
    sorter = Triage(normal_up_to=0.25, pneumonia_from=0.75)
    assert sort(sorter, [0.0, 0.5, 1.0], in_domain=False) == ["REVIEW"] * 3


def test_a_probability_that_is_not_a_number_is_for_review():
    assert sort(Triage(0.25, 0.75), [math.nan]) == ["REVIEW"]


def held_out(patients=400, images=3):
    """Patients of either class in turn; probability, label and patient of their images."""
    generator = np.random.default_rng(11)
    patient = np.repeat(np.arange(patients), images)
    labels = patient % 2
    own = generator.normal(size=patients)[patient]
    logits = 4 * labels - 2 + own + generator.normal(size=len(patient))
    return (1 / (1 + np.exp(-logits))).astype(np.float32), labels, patient


def test_the_errors_of_each_class_are_those_allowed():
    probability, labels, patient = held_out()
    allowed = TriageSettings(missed_pneumonia=0.02, false_alarms=0.1)
    fitted = triage.fit(probability, labels, patient, allowed)
    found = np.array(sort(fitted, probability))
    assert (found[labels == 1] == "NORMAL").mean() == pytest.approx(0.02, abs=0.01)
    assert (found[labels == 0] == "PNEUMONIA").mean() == pytest.approx(0.1, abs=0.01)
    assert fitted.notes == ()


def test_calibration_changes_no_triage():
    probability, labels, patient = held_out()
    calibrated = Calibration(0.7, -1.0)(tf.constant(probability)).numpy()
    assert not np.allclose(calibrated, probability, atol=0.05)
    before, after = (
        sort(triage.fit(each, labels, patient, TriageSettings()), each)
        for each in (probability, calibrated)
    )
    assert before == after
    assert {"NORMAL", "REVIEW", "PNEUMONIA"} == set(after)


def test_with_too_few_patients_of_a_class_the_other_label_is_never_given():
    probability, labels, patient = held_out()
    few = (labels == 0) | (patient < 2 * 48)
    fitted = triage.fit(probability[few], labels[few], patient[few], TriageSettings())
    assert "NORMAL" not in sort(fitted, [0.0, *probability])
    assert "PNEUMONIA" in sort(fitted, probability)
    assert fitted.notes == (
        "triage never says NORMAL: an error rate of 0.02 takes 49 patients with PNEUMONIA that the"
        " model was not trained on, and there are 48; give more images, or raise"
        " trainer.triage.missed_pneumonia",
    )


def test_without_images_of_a_class_the_other_label_is_never_given():
    probability, labels, patient = held_out()
    only = labels == 1
    fitted = triage.fit(probability[only], labels[only], patient[only], TriageSettings())
    assert set(sort(fitted, [0.0, 0.5, 1.0])) == {"REVIEW", "NORMAL"}
    assert "takes 19 patients with NORMAL" in fitted.notes[0]
    assert "there are 0" in fitted.notes[0]
