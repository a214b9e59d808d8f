import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from serving.analysis import shortcuts
from serving.analysis.bootstrap import Bootstrap
from serving.analysis.findings import Estimate
from tests.serving.analysis.samples import predicted

BOOTSTRAP = Bootstrap(replicates=200)
VALUES = st.integers(0, 5).map(float)


@given(st.lists(st.tuples(VALUES, VALUES, st.integers(0, 3)), min_size=2, max_size=20))
def test_the_weighted_correlation_is_spearmans_of_so_many_copies(rows):
    one, other, weights = (np.array(column, float) for column in zip(*rows, strict=True))
    copies = weights.astype(int)
    pair = np.repeat(one, copies), np.repeat(other, copies)
    if any(len(set(values)) < 2 for values in pair):
        return
    ((found,),) = shortcuts.spearman([one], other, weights[np.newaxis])
    assert found == pytest.approx(spearmanr(*pair).statistic)


def test_a_constant_correlates_with_nothing():
    ((found,),) = shortcuts.spearman([np.ones(4)], np.arange(4.0), np.ones((1, 4)))
    assert np.isnan(found)


def probes(images):
    return {each.name: each for each in shortcuts.probe(images, BOOTSTRAP)}


def test_a_quantity_that_the_probability_follows_is_found():
    generator = np.random.default_rng(0)
    size = generator.permutation(200)
    noise = generator.random(200)
    label = np.arange(200) % 2 == 0
    found = probes(predicted(label, size / 200, bytes=size, brightness=noise))
    for within in (found["file size"].within_normal, found["file size"].within_pneumonia):
        assert within.value == pytest.approx(1)
    calm = found["brightness"].within_normal
    assert calm.low < 0 < calm.high
    assert found["file size"].alone == pytest.approx(0.5, abs=0.1)


def test_a_quantity_that_separates_the_classes_alone_is_found():
    label = np.arange(100) % 2 == 0
    found = probes(predicted(label, np.full(100, 0.5), border=np.where(label, 10.0, 60.0)))
    assert found["border brightness"].alone == 0
    assert found["border brightness"].within_normal == Estimate()


def test_what_is_the_same_in_every_image_says_nothing():
    found = probes(predicted([1, 0, 1, 0], [0.1, 0.2, 0.3, 0.4]))
    assert (found["width"].alone, found["width"].within_normal) == (None, Estimate())


def test_the_aspect_ratio_is_of_width_to_height():
    images = predicted([1, 0], [0.5, 0.5], width=[300, 200], height=[200, 200])
    assert shortcuts.quantities(images)["aspect ratio"].tolist() == [1.5, 1.0]
