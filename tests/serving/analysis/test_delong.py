import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from serving.analysis import delong
from tests.serving.analysis.samples import clustered

SCORES = st.sampled_from([0.1, 0.2, 0.3, 0.4, 0.5])
ROWS = st.lists(
    st.tuples(st.booleans(), SCORES, SCORES, st.integers(0, 9)), min_size=6, max_size=25
)


def covariance_by_definition(label, scores, patient):
    """Obuchowski's formulas as they are printed, by comparing every pair."""
    ill, well = np.flatnonzero(label), np.flatnonzero(~label)
    m, n = len(ill), len(well)
    models = range(len(scores))

    def order(s, i, j):
        return 1.0 if s[i] > s[j] else 0.5 if s[i] == s[j] else 0.0

    v10 = [{i: sum(order(s, i, j) for j in well) / n for i in ill} for s in scores]
    v01 = [{j: sum(order(s, i, j) for i in ill) / m for j in well} for s in scores]
    auc = [sum(v.values()) / m for v in v10]

    def deviation(v, k, name):
        return sum(v[k][row] - auc[k] for row in v[k] if patient[row] == name)

    names = set(patient)
    i10, i01 = len({patient[i] for i in ill}), len({patient[j] for j in well})
    out = np.empty((len(scores), len(scores)))
    for r in models:
        for s in models:
            s10 = (
                i10
                / ((i10 - 1) * m)
                * sum(deviation(v10, r, name) * deviation(v10, s, name) for name in names)
            )
            s01 = (
                i01
                / ((i01 - 1) * n)
                * sum(deviation(v01, r, name) * deviation(v01, s, name) for name in names)
            )
            s11 = (
                len(names)
                / (len(names) - 1)
                * sum(
                    deviation(v10, r, name) * deviation(v01, s, name)
                    + deviation(v01, r, name) * deviation(v10, s, name)
                    for name in names
                )
            )
            out[r, s] = s10 / m + s01 / n + s11 / (m * n)
    return auc, out


@given(ROWS)
def test_the_fast_way_is_the_definition(rows):
    label, one, other, patient = map(np.array, zip(*rows, strict=True))
    if min(len(set(patient[label])), len(set(patient[~label]))) < 2:
        return
    scores = np.stack([one, other])
    aucs, covariance = delong.covariance(label, scores, patient)
    expected = covariance_by_definition(label, scores, patient)
    assert aucs == pytest.approx(expected[0])
    assert covariance == pytest.approx(expected[1], abs=1e-12)


def test_an_example_by_hand():
    # Of the ill, 3 is above both of the well and 1 above one of them; of the well, 2 is below one
    # of the ill and 0 below both. Both variances are 1/8, and 1/8 / 2 + 1/8 / 2 = 1/8.
    label = np.array([True, True, False, False])
    aucs, covariance = delong.covariance(label, np.array([[3.0, 1, 2, 0]]), np.arange(4))
    assert aucs[0] == 0.75
    assert covariance[0, 0] == pytest.approx(0.125)


def test_one_image_a_patient_is_the_variance_of_delong():
    generator = np.random.default_rng(3)
    label = generator.random(60) < 0.5
    score = label + generator.normal(size=60)
    ill, well = score[label], score[~label]
    above = (ill[:, np.newaxis] > well).astype(float)
    expected = above.mean(1).var(ddof=1) / len(ill) + above.mean(0).var(ddof=1) / len(well)
    _, covariance = delong.covariance(label, score[np.newaxis], np.arange(60))
    assert covariance[0, 0] == pytest.approx(expected)


def test_the_interval_of_an_auc_stays_within_0_and_1():
    label = np.arange(40) % 2 == 0
    score = np.where(label, 1.0, 0.0)
    score[[0, 2, 4]], score[1] = -1.0, 0.5
    score[1] = 2.0
    found = delong.auc(label, score, np.arange(40))
    assert 0 < found.low < found.value < found.high < 1


def test_of_a_perfect_auc_no_variance_is_known():
    label = np.arange(10) % 2 == 0
    found = delong.auc(label, label.astype(float), np.arange(10))
    assert (found.value, found.low, found.high) == (1.0, None, None)


def test_of_a_single_patient_no_variance_is_known():
    label = np.arange(10) % 2 == 0
    score = np.arange(10.0)
    assert delong.auc(label, score, np.where(label, "a", score.astype(str))).low is None


def test_equal_models_do_not_differ():
    label = np.arange(20) % 2 == 0
    score = np.sin(np.arange(20.0))
    difference, p_value = delong.compare(label, score, score, np.arange(20))
    assert (difference.value, difference.low, p_value) == (0.0, None, None)


def test_a_better_model_is_reported():
    generator = np.random.default_rng(5)
    label = np.arange(400) % 2 == 0
    good, bad = (distance * label + generator.normal(size=400) for distance in (3, 1))
    difference, p_value = delong.compare(label, good, bad, np.arange(400))
    assert difference.low > 0
    assert p_value < 1e-6
    swapped, same = delong.compare(label, bad, good, np.arange(400))
    assert swapped.value == pytest.approx(-difference.value)
    assert same == pytest.approx(p_value)


def test_the_p_value_belongs_to_the_interval():
    generator = np.random.default_rng(6)
    label = np.arange(100) % 2 == 0
    one, other = (label + generator.normal(size=100) for _ in range(2))
    difference, p_value = delong.compare(label, one, other, np.arange(100))
    error = (difference.high - difference.low) / (2 * norm.ppf(0.975))
    assert p_value == pytest.approx(2 * norm.sf(abs(difference.value) / error))


@pytest.mark.slow
def test_the_interval_holds_the_truth_and_the_test_its_level():
    generator = np.random.default_rng(2)
    held = rejected = 0
    for _ in range(600):
        images, auc = clustered(generator, patients=80, images=3)
        found = delong.auc(images.label, images.probability, images.patient)
        held += found.low <= auc <= found.high
        logits = np.log(images.probability / (1 - images.probability))
        patient = images.patient.astype(int)
        noisy = [logits + generator.normal(size=80)[patient] for _ in range(2)]
        _, p_value = delong.compare(images.label, *noisy, images.patient)
        rejected += p_value < 0.05
    # With 0.95 and 0.05 of 600, further away with probability below 0.001 on either side.
    assert 550 <= held <= 588
    assert 14 <= rejected <= 50
