import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.analysis.drift import divergence, drift
from tests.serving.analysis.samples import predicted
from transform_module.images.distribution import summarise

COUNTS = st.lists(st.integers(0, 9), min_size=4, max_size=4).filter(any)


def shares(counts):
    return np.array(counts) / sum(counts)


@given(COUNTS, COUNTS)
def test_the_divergence_is_symmetric_and_between_0_and_1(one, other):
    found = divergence(shares(one), shares(other))
    assert 0 <= found <= 1
    assert found == pytest.approx(divergence(shares(other), shares(one)))
    assert divergence(shares(one), shares(one)) == 0


def test_what_has_nothing_in_common_is_1_apart():
    assert divergence(np.array([1.0, 0]), np.array([0, 1.0])) == 1


def test_a_value_by_hand():
    # Middle (3/4, 1/4): half of log2(4/3), and half of log2(2/3) / 2 + log2(2) / 2.
    expected = (np.log2(4 / 3) + np.log2(2 / 3) / 2 + 1 / 2) / 2
    assert divergence(np.array([1.0, 0]), np.array([0.5, 0.5])) == pytest.approx(expected)


def columns(generator, count, **moved):
    return {
        name: generator.normal(moved.get(name, 0), size=count)
        for name in ("brightness", "contrast", "sharpness", "border")
    }


def trained():
    known = columns(np.random.default_rng(0), 4000)
    known["probability"] = np.random.default_rng(1).random(4000)
    return {name: summarise(values) for name, values in known.items()}


def images(count=400, **moved):
    generator = np.random.default_rng(2)
    label = np.arange(count) % 2
    return predicted(label, generator.random(count), **columns(generator, count, **moved))


def test_what_has_moved_is_the_first():
    found = drift(trained(), images(border=2.0))
    assert len(found) == 5
    assert found[0].name == "border"
    assert found[0].distance > 0.3
    assert found[0].here - found[0].trained == pytest.approx(2, abs=0.2)


def test_images_of_the_same_kind_are_as_far_as_chance_shows():
    generator = np.random.default_rng(3)
    known = {"border": summarise(generator.normal(size=100_000))}
    count = 300
    found = [
        drift(known, predicted(np.ones(count), np.full(count, 0.5), border=border))[0]
        for border in generator.normal(size=(200, count))
    ]
    assert np.mean([each.distance for each in found]) == pytest.approx(found[0].chance, rel=0.1)


def test_what_is_known_of_one_side_only_is_left_out():
    known = {"border": trained()["border"], "heart rate": trained()["border"]}
    assert [each.name for each in drift(known, images())] == ["border"]
    assert drift({}, images()) == []


def test_images_that_could_not_be_predicted_do_not_count():
    some = predicted([1, 0], [0.5, 0.5], valid=[True, False], border=[5.0, np.nan])
    assert drift(trained(), some)[0].here == 5.0
    none = predicted([1, 0], [0.5, 0.5], valid=[False, False])
    assert drift(trained(), none) == []
