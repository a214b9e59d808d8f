from dataclasses import replace

import numpy as np
import pytest

from serving.align.alignment import Refused, align
from serving.analysis.bootstrap import Bootstrap
from tests.serving.align.places import PRIOR, place, reference

BOOTSTRAP = Bootstrap(replicates=200)


@pytest.fixture
def generator():
    return np.random.default_rng(8)


def test_the_logit_moves_by_the_ratio_of_the_odds(generator):
    found = align(reference(generator, 2000), place(generator, 0.2, 1000), BOOTSTRAP)
    assert (found.images, found.patients) == (1000, 1000)
    assert found.prevalence == pytest.approx(0.2, abs=0.04)
    expected = np.log(0.2 / 0.8) - np.log(PRIOR / (1 - PRIOR))
    assert found.shift == pytest.approx(expected, abs=0.3)
    assert found.is_needed


def test_the_same_prevalence_needs_none(generator):
    assert not align(reference(generator), place(generator, PRIOR), BOOTSTRAP).is_needed


def test_few_patients_are_refused_however_many_images_they_have(generator):
    here = place(generator, 0.2, 299, images=3)
    with pytest.raises(Refused, match="of 299 patients, and 300 are needed") as refused:
        align(reference(generator), here, BOOTSTRAP)
    assert refused.value.alignment is None


def test_a_class_of_few_patients_is_no_reference(generator):
    known = reference(generator)
    labels = known.labels.copy()
    labels[np.flatnonzero(labels == 0)[19:]] = 1
    with pytest.raises(Refused, match="on 19 patients with NORMAL, and at least 20"):
        align(replace(known, labels=labels), place(generator, 0.2), BOOTSTRAP)


def test_another_acquisition_is_refused_with_what_was_found(generator):
    here = place(generator, 0.2)
    brighter = replace(here, logits=here.logits * 0.5)
    with pytest.raises(Refused, match="not a mixture of those of the two classes") as refused:
        align(reference(generator), brighter, BOOTSTRAP)
    assert "out of domain" not in str(refused.value)
    assert refused.value.alignment.fit.statistic > refused.value.alignment.fit.bound


def test_images_out_of_domain_are_refused_by_themselves(generator):
    here = place(generator, 0.2)
    flagged = replace(here, out_of_domain=np.arange(400) < 80)
    with pytest.raises(
        Refused, match=r"^20\.0% of the images are out of domain, of which 5"
    ) as why:
        align(reference(generator), flagged, BOOTSTRAP)
    assert "not a mixture" not in str(why.value)
