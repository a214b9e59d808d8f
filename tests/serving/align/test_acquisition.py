from dataclasses import replace

import numpy as np
import pytest

from serving.align import acquisition
from serving.align.acquisition import LEVEL
from tests.serving.align.places import logits, place, reference

PLACES = 40
"""Of each kind, each with a reference of its own."""


def rejected(change, prevalence, **kind):
    """The share of places that are rejected by their scores."""
    count = 0
    for seed in range(PLACES):
        generator = np.random.default_rng(seed)
        known, here = reference(generator), place(generator, prevalence, **kind)
        changed = replace(here, logits=change(here.logits, generator))
        count += acquisition.fit(known, changed, seed, replicates=200).p_value < LEVEL
    return count / PLACES


@pytest.mark.parametrize(("prevalence", "images"), [(0.05, 1), (0.3, 1), (0.3, 3), (0.9, 1)])
def test_another_prevalence_alone_is_not_rejected(prevalence, images):
    # At 2.5 % more than 5 of 40 have a probability of less than 1 in 1,000.
    assert rejected(lambda found, _: found, prevalence, images=images) <= 5 / 40


@pytest.mark.parametrize(
    "change",
    [
        lambda found, _: found + 1.5,
        lambda found, _: found - 1.5,
        lambda found, _: found * 0.6,
        lambda found, _: found * 1.6,
        lambda found, _: found + 2 * (found < 0),
    ],
    ids=["higher", "lower", "drawn together", "stretched", "one class higher"],
)
def test_changed_scores_are_rejected(change):
    assert rejected(change, 0.3, patients=600) >= 0.9


def test_one_class_that_looks_like_the_other_cannot_be_distinguished():
    """The limit that the documentation states: it is a mixture as any other."""

    def change(found, generator):
        mistaken = (found < 0) & (generator.random(len(found)) < 0.2)
        return np.where(mistaken, logits(np.ones(len(found), int), generator), found)

    assert rejected(change, 0.3) <= 0.2


def test_the_best_mixture_has_the_prevalence():
    generator = np.random.default_rng(5)
    known, here = reference(generator, 3000), place(generator, 0.3, 3000)
    found = acquisition.fit(known, here)
    assert found.prevalence == pytest.approx(0.3, abs=0.03)
    assert 0 < found.statistic < found.bound


@pytest.mark.parametrize(("share", "is_rejected"), [(0.05, False), (0.15, True)])
def test_images_out_of_domain_are_counted_by_patient(share, is_rejected):
    generator = np.random.default_rng(6)
    known, here = reference(generator), place(generator, 0.3, images=3)
    flagged = here.patients < share * 400
    found = acquisition.domain_share(known, replace(here, out_of_domain=flagged), 0.3)
    assert found.share == pytest.approx(share)
    assert found.expected == pytest.approx(0.05, abs=0.01)
    assert (found.p_value < LEVEL) == is_rejected


def test_false_alarms_that_are_more_frequent_in_one_class_are_expected():
    generator = np.random.default_rng(7)
    known = replace(reference(generator), flagged=((1.0, 170), (72.0, 480)))
    here = place(generator, 0.9)
    flagged = replace(here, out_of_domain=np.arange(400) < 56)
    assert acquisition.domain_share(known, flagged, 0.9).p_value > 0.3
    assert acquisition.domain_share(known, flagged, 0.1).p_value < LEVEL
