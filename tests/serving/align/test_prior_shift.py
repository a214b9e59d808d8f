import numpy as np
import pytest

from serving.align import prior_shift
from serving.align.scores import Reference, Scores, weights_of
from serving.analysis.bootstrap import Bootstrap
from tests.serving.align.places import PRIOR, place, reference

BOOTSTRAP = Bootstrap(replicates=100)


def test_the_logit_and_its_inverse():
    assert prior_shift.sigmoid(prior_shift.logit(np.array([0.1, 0.74]))) == pytest.approx(
        [0.1, 0.74]
    )


def test_the_prior_is_what_probabilities_are_calibrated_for():
    found = reference(np.random.default_rng(0), 4000)
    weights = weights_of(found.patients)
    assert prior_shift.calibrated_prior(found.logits, found.labels, weights) == pytest.approx(
        PRIOR, abs=0.03
    )
    # The labels of the images are one thing, and what their probabilities claim another.
    shifted = prior_shift.calibrated_prior(found.logits - 2, found.labels, weights)
    assert prior_shift.logit(shifted) == pytest.approx(prior_shift.logit(PRIOR) - 2, abs=0.2)


def test_the_prior_does_not_depend_on_which_class_the_reference_has_more_of():
    generator = np.random.default_rng(1)
    found = reference(generator, 6000)
    kept = (found.labels == 0) | (generator.random(6000) < 0.2)
    fewer = Reference(found.logits[kept], found.labels[kept], found.patients[kept], found.flagged)
    weights = weights_of(fewer.patients)
    assert fewer.labels.mean() < 0.45
    assert prior_shift.calibrated_prior(fewer.logits, fewer.labels, weights) == pytest.approx(
        PRIOR, abs=0.05
    )


def test_it_is_the_fixed_point_of_expectation_maximisation():
    """Saerens et al. (2002), equation 2.9."""
    found = place(np.random.default_rng(2), 0.3)
    weights = weights_of(found.patients)
    share = PRIOR
    for _ in range(500):
        corrected = found.logits - prior_shift.logit(PRIOR) + prior_shift.logit(share)
        share = float((weights * prior_shift.sigmoid(corrected)).sum())
    once = prior_shift.prevalence(found.logits, weights, np.array(PRIOR), 1e-3)
    assert once == pytest.approx(share, abs=1e-5)


@pytest.mark.parametrize("truth", [0.05, 0.5])
def test_the_interval_holds_the_prevalence(truth):
    within = []
    for seed in range(20):
        generator = np.random.default_rng(seed)
        _, found, (low, high) = prior_shift.estimate(
            reference(generator), place(generator, truth), BOOTSTRAP
        )
        assert low <= found <= high
        within.append(low <= truth <= high)
    # Of 20, 95 % are 19; fewer than 15 have a probability of less than 1 in 1,000.
    assert sum(within) >= 15


def test_a_patient_counts_once_however_many_images_there_are():
    generator = np.random.default_rng(3)
    known, once = reference(generator), place(generator, 0.3)
    again = np.repeat(np.arange(400), np.where(once.logits > 0, 5, 1))
    repeated = Scores(once.logits[again], once.patients[again], once.out_of_domain[again])
    expected = prior_shift.estimate(known, once, BOOTSTRAP)
    found = prior_shift.estimate(known, repeated, BOOTSTRAP)
    assert found[1] == pytest.approx(expected[1])
    assert found[2] == pytest.approx(expected[2])


def test_a_place_without_pneumonia_has_a_logit_all_the_same():
    generator = np.random.default_rng(4)
    _, found, (low, _) = prior_shift.estimate(
        reference(generator), place(generator, 0.0), BOOTSTRAP
    )
    assert low == pytest.approx(0.5 / 400)
    assert np.isfinite(prior_shift.logit(found))
