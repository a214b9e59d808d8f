import numpy as np
import pytest

from serving.analysis import curves
from serving.analysis.bootstrap import Bootstrap
from serving.analysis.figures import figures
from serving.analysis.findings import Estimate
from tests.serving.analysis.samples import clustered, predicted

BOOTSTRAP = Bootstrap(replicates=100)


@pytest.fixture(scope="module")
def images():
    return clustered(np.random.default_rng(0), patients=400)[0]


def area(curve):
    return float(np.trapezoid(curve.y, curve.x))


def exact(images, name):
    return figures(images.label, images.probability, 0.5, np.ones((1, len(images))))[name][0]


@pytest.mark.parametrize(
    ("draw", "name"), [(curves.roc, "auc"), (curves.precision_recall, "pr_auc")]
)
def test_the_area_under_a_curve_is_its_figure(images, draw, name):
    curve = draw(images, BOOTSTRAP)
    assert area(curve) == pytest.approx(exact(images, name), abs=0.003)


@pytest.mark.parametrize("draw", [curves.roc, curves.precision_recall])
def test_a_curve_lies_in_its_band(images, draw):
    curve = draw(images, BOOTSTRAP)
    x, y, low, high = map(np.array, (curve.x, curve.y, curve.low, curve.high))
    assert (np.diff(x) > 0).all()
    assert ((low <= y) & (y <= high)).all()
    assert (low >= 0).all()
    assert (high <= 1).all()


def test_the_roc_of_perfect_predictions_is_the_corner():
    curve = curves.roc(predicted([1, 1, 0, 0], [0.9, 0.8, 0.2, 0.1]), BOOTSTRAP)
    assert set(curve.y) == {1.0}


def test_the_roc_of_one_probability_for_all_is_the_diagonal():
    curve = curves.roc(predicted([1, 1, 0, 0], [0.5] * 4), BOOTSTRAP)
    assert curve.y == pytest.approx(curve.x)


def test_the_only_pneumonia_ranked_last_is_found_with_all_others():
    images = predicted([0, 0, 0, 1], [0.9, 0.8, 0.7, 0.1])
    assert set(curves.precision_recall(images, BOOTSTRAP).y[1:]) == {0.25}
    roc = curves.roc(images, BOOTSTRAP)
    assert (roc.y[-1], set(roc.y[:-1])) == (1, {0})


def test_the_only_normal_ranked_last_costs_no_precision_before_it():
    images = predicted([1, 1, 1, 0], [0.9, 0.8, 0.7, 0.1])
    assert set(curves.precision_recall(images, BOOTSTRAP).y) == {1.0}
    assert set(curves.roc(images, BOOTSTRAP).y) == {1.0}


def test_precision_falls_in_steps():
    curve = curves.precision_recall(predicted([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.6]), BOOTSTRAP)
    heights = dict(zip(np.round(curve.x, 3), curve.y, strict=True))
    assert heights[0.0] == heights[0.5] == 1
    assert heights[0.505] == heights[1.0] == pytest.approx(2 / 3)


def test_reliability_counts_every_image_once():
    bins = curves.reliability(predicted([1, 0, 1, 1], [0.0, 0.1, 0.95, 1.0]), Bootstrap(50))
    assert [each.images for each in bins] == [1, 1, 0, 0, 0, 0, 0, 0, 0, 2]
    assert [each.low for each in bins[:3]] == [0.0, 0.1, 0.2]
    assert bins[9].probability == pytest.approx(0.975)
    assert bins[9].share.value == 1.0
    assert bins[9].share.low < 1.0
    assert (bins[5].probability, bins[5].share) == (None, Estimate())
