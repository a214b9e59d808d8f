import numpy as np
import pytest

from serving.analysis import bootstrap, groups
from serving.analysis.bootstrap import Bootstrap, interval
from tests.serving.analysis.samples import clustered


def drawn(patient, **options):
    return np.concatenate(list(Bootstrap(**options).weights(np.array(patient))))


def test_patients_are_drawn_with_all_their_images():
    weights = drawn(list("aabccc"), replicates=450)
    assert weights.shape == (450, 6)
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 3:5] == weights[:, 5:]).all()
    assert (weights[:, [0, 2, 3]].sum(axis=1) == 3).all()


def test_every_patient_is_drawn_as_often():
    assert drawn(list("abcd"), replicates=2000).mean(axis=0) == pytest.approx(1, abs=0.08)


def test_the_seed_draws():
    assert (drawn(list("abcdef")) == drawn(list("abcdef"))).all()
    assert (drawn(list("abcdef")) != drawn(list("abcdef"), seed=8)).any()


@pytest.mark.parametrize("patients", [3, 7, 1000])
def test_many_images_are_drawn_in_small_parts_as_few_are_at_once(monkeypatch, patients):
    patient = np.arange(2 * patients) // 2
    whole = drawn(patient, replicates=30)
    monkeypatch.setattr(bootstrap, "_NUMBERS_AT_ONCE", 20 * patients)
    parts = list(Bootstrap(replicates=30).weights(patient))
    assert [part.shape for part in parts] == [(10, 2 * patients)] * 3
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    monkeypatch.setattr(bootstrap, "_NUMBERS_AT_ONCE", 1)
    np.testing.assert_array_equal(drawn(patient, replicates=30), whole)


def test_an_interval_encloses_95_percent():
    low, high = interval(np.arange(1001.0))
    assert [float(low), float(high)] == pytest.approx([25, 975])


def test_what_is_undefined_in_a_replicate_is_left_out():
    replicates = np.stack([np.arange(1001.0), np.full(1001, np.nan)], axis=1)
    replicates = np.concatenate([replicates, np.full((500, 2), np.nan)])
    low, high = interval(replicates)
    assert low.tolist() == pytest.approx([25, np.nan], nan_ok=True)
    assert high.tolist() == pytest.approx([975, np.nan], nan_ok=True)


@pytest.mark.slow
def test_intervals_hold_the_truth_where_images_of_a_patient_are_alike():
    generator = np.random.default_rng(1)
    held = {"patients": 0, "images": 0}
    for _ in range(200):
        images, auc = clustered(generator, patients=60, images=4)
        for kind, patient in (("patients", images.patient), ("images", images.path)):
            values = [
                groups.figures(images.label, images.probability, 0.5, weights)["auc"]
                for weights in Bootstrap(replicates=400).weights(patient)
            ]
            low, high = interval(np.concatenate(values))
            held[kind] += low <= auc <= high
    # Of 200 intervals that hold the truth with probability 0.95, 180 or more do with 0.9985.
    assert held["patients"] >= 180
    # Taking the images for independent is what the patients are drawn for.
    assert held["images"] < 160
