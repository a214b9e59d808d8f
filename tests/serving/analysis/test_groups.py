import numpy as np
import pytest

from serving.analysis import groups
from serving.analysis.bootstrap import Bootstrap
from serving.analysis.findings import Estimate
from serving.analysis.groups import describe, differences
from serving.analysis.wilson import wilson
from tests.serving.analysis.samples import clustered, predicted

BOOTSTRAP = Bootstrap(replicates=300)


def test_a_group_counts_and_measures():
    sample = predicted([1, 1, 1, 0, 0], [0.9, 0.8, 0.2, 0.4, 0.1], patient=list("aabcd"))
    group = describe("virus", sample, 0.5, BOOTSTRAP)
    assert (group.name, group.images, group.patients, group.positives) == ("virus", 5, 4, 3)
    assert group.auc.value == pytest.approx(5 / 6)
    assert group.sensitivity.value == pytest.approx(2 / 3)
    assert group.accuracy.low < group.accuracy.value < group.accuracy.high


def test_every_interval_is_around_its_figure():
    sample, _ = clustered(np.random.default_rng(0), patients=80)
    group = describe("all", sample, 0.5, BOOTSTRAP)
    for name in ("auc", "pr_auc", "accuracy", "sensitivity", "specificity", "brier"):
        found = getattr(group, name)
        assert found.low < found.value < found.high, name


def test_a_share_of_1_has_wilsons_interval_over_the_patients():
    sample = predicted(
        [1] * 4 + [0] * 4, [0.9] * 4 + [0.6, 0.4, 0.1, 0.2], patient=list("aabbcdef")
    )
    group = describe("all", sample, 0.5, BOOTSTRAP)
    assert group.sensitivity == wilson(2, 2)


def test_a_perfect_auc_has_no_interval():
    group = describe("all", predicted([1, 1, 0, 0], [0.9, 0.8, 0.2, 0.1]), 0.5, BOOTSTRAP)
    assert group.auc == Estimate(1.0)


def test_what_one_class_leaves_undefined_is_none():
    group = describe("virus", predicted([1, 1, 1], [0.9, 0.8, 0.2]), 0.5, BOOTSTRAP)
    assert group.auc == group.pr_auc == group.specificity == Estimate()
    assert group.sensitivity.value == pytest.approx(2 / 3)


def test_a_single_patient_has_no_bootstrap():
    group = describe(
        "x", predicted([1, 1, 1], [0.9, 0.8, 0.2], patient=list("aaa")), 0.5, BOOTSTRAP
    )
    assert group.brier.low is None
    assert group.sensitivity == wilson(2 / 3, 1)


def test_differences_are_the_ones_less_the_others_at_its_own_threshold():
    sample = predicted([1, 1, 0, 0], [0.9, 0.6, 0.3, 0.1])
    found = differences(sample, np.array([0.9, 0.2, 0.3, 0.1]), (0.5, 0.5), BOOTSTRAP)
    assert found["auc"].value == pytest.approx(1 - 0.75)
    assert found["sensitivity"].value == pytest.approx(0.5)
    lenient = differences(sample, np.array([0.9, 0.2, 0.3, 0.1]), (0.5, 0.05), BOOTSTRAP)
    assert lenient["sensitivity"].value == pytest.approx(0.0)
    assert lenient["specificity"].value == pytest.approx(1.0)


def test_a_paired_difference_is_surer_than_the_figures_are():
    generator = np.random.default_rng(4)
    sample, _ = clustered(generator, patients=100)
    other = np.clip(sample.probability + 0.02 * generator.normal(size=len(sample)), 0, 1)
    difference = differences(sample, other, (0.5, 0.5), BOOTSTRAP)["auc"]
    own = describe("all", sample, 0.5, BOOTSTRAP).auc
    assert difference.high - difference.low < (own.high - own.low) / 3


def images(patients, *, flagged):
    """Three alike images of each of so many patients; the first ones are flagged."""
    patient = np.repeat(np.arange(patients), 3)
    return patient < flagged, np.ones(len(patient), bool), patient


def width(estimate):
    return estimate.high - estimate.low


def test_a_share_is_as_uncertain_as_its_patients_are_few():
    """Not as its images: three alike ones of a patient say what one says."""
    chosen, everything, patient = images(60, flagged=15)
    by_patient = groups.share_of(chosen, everything, patient, Bootstrap())
    by_image = groups.share_of(chosen, everything, np.arange(len(patient)), Bootstrap())
    assert by_patient.value == by_image.value == 0.25
    assert width(by_patient) == pytest.approx(width(by_image) * np.sqrt(3), rel=0.15)


@pytest.mark.parametrize("flagged", [0, 60])
def test_a_share_of_nothing_or_all_has_wilsons_interval_over_patients(flagged):
    found = groups.share_of(*images(60, flagged=flagged), Bootstrap())
    assert found == wilson(flagged, 60)


def test_a_share_of_no_image_is_none():
    chosen, everything, patient = images(3, flagged=1)
    assert groups.share_of(chosen, ~everything, patient, Bootstrap()) == Estimate()


def test_only_patients_that_the_share_is_of_are_drawn():
    chosen, everything, patient = images(60, flagged=15)
    some = patient < 30
    alone = groups.share_of(chosen[some], everything[some], patient[some], Bootstrap())
    assert groups.share_of(chosen, some, patient, Bootstrap()) == alone
