import numpy as np
import pytest

from components.analysis.bootstrap import Bootstrap
from components.analysis.findings import Estimate
from components.analysis.groups import describe, differences
from components.analysis.wilson import wilson
from tests.components.analysis.samples import clustered, judged

BOOTSTRAP = Bootstrap(replicates=300)


def test_a_group_counts_and_measures():
    pictures = judged([1, 1, 1, 0, 0], [0.9, 0.8, 0.2, 0.4, 0.1], patient=list("aabcd"))
    group = describe("virus", pictures, 0.5, BOOTSTRAP)
    assert (group.name, group.pictures, group.patients, group.positives) == ("virus", 5, 4, 3)
    assert group.auc.value == pytest.approx(5 / 6)
    assert group.sensitivity.value == pytest.approx(2 / 3)
    assert group.accuracy.low < group.accuracy.value < group.accuracy.high


def test_every_interval_is_around_its_figure():
    pictures, _ = clustered(np.random.default_rng(0), patients=80)
    group = describe("all", pictures, 0.5, BOOTSTRAP)
    for name in ("auc", "pr_auc", "accuracy", "sensitivity", "specificity", "brier"):
        found = getattr(group, name)
        assert found.low < found.value < found.high, name


def test_a_share_of_1_has_wilsons_interval_over_the_patients():
    pictures = judged([1] * 4 + [0] * 4, [0.9] * 4 + [0.6, 0.4, 0.1, 0.2], patient=list("aabbcdef"))
    group = describe("all", pictures, 0.5, BOOTSTRAP)
    assert group.sensitivity == wilson(2, 2)


def test_a_perfect_auc_has_no_interval():
    group = describe("all", judged([1, 1, 0, 0], [0.9, 0.8, 0.2, 0.1]), 0.5, BOOTSTRAP)
    assert group.auc == Estimate(1.0)


def test_what_one_class_leaves_undefined_is_none():
    group = describe("virus", judged([1, 1, 1], [0.9, 0.8, 0.2]), 0.5, BOOTSTRAP)
    assert group.auc == group.pr_auc == group.specificity == Estimate()
    assert group.sensitivity.value == pytest.approx(2 / 3)


def test_a_single_patient_has_no_bootstrap():
    group = describe("x", judged([1, 1, 1], [0.9, 0.8, 0.2], patient=list("aaa")), 0.5, BOOTSTRAP)
    assert group.brier.low is None
    assert group.sensitivity == wilson(2 / 3, 1)


def test_differences_are_the_ones_less_the_others_at_its_own_threshold():
    pictures = judged([1, 1, 0, 0], [0.9, 0.6, 0.3, 0.1])
    found = differences(pictures, np.array([0.9, 0.2, 0.3, 0.1]), (0.5, 0.5), BOOTSTRAP)
    assert found["auc"].value == pytest.approx(1 - 0.75)
    assert found["sensitivity"].value == pytest.approx(0.5)
    lenient = differences(pictures, np.array([0.9, 0.2, 0.3, 0.1]), (0.5, 0.05), BOOTSTRAP)
    assert lenient["sensitivity"].value == pytest.approx(0.0)
    assert lenient["specificity"].value == pytest.approx(1.0)


def test_a_paired_difference_is_surer_than_the_figures_are():
    generator = np.random.default_rng(4)
    pictures, _ = clustered(generator, patients=100)
    other = np.clip(pictures.probability + 0.02 * generator.normal(size=len(pictures)), 0, 1)
    difference = differences(pictures, other, (0.5, 0.5), BOOTSTRAP)["auc"]
    own = describe("all", pictures, 0.5, BOOTSTRAP).auc
    assert difference.high - difference.low < (own.high - own.low) / 3
