import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.analysis.corruptions import KINDS, STRENGTHS
from serving.evaluate.changed import Changed, choose, predict_changed
from serving.model import Model
from tests.serving.evaluate.samples import NORMAL, PNEUMONIA, grey
from transform_module.images.shifts import SHIFTS


def named(normal, ill):
    return {f"{number}": number >= normal for number in range(normal + ill)}


@given(st.integers(0, 30), st.integers(0, 30), st.integers(2, 20).map(lambda half: 2 * half))
def test_the_sample_is_as_even_as_it_can_be(normal, ill, sample):
    images = named(normal, ill)
    chosen = choose(images, sample)
    counts = [list(chosen.values()).count(label) for label in (False, True)]
    assert sum(counts) == min(sample, normal + ill)
    assert min(counts) == min(normal, ill, sample // 2)
    assert list(chosen.items()) == [each for each in images.items() if each[0] in chosen]


def test_another_order_chooses_the_same():
    images = named(20, 20)
    assert choose(dict(reversed(images.items())), 10) == choose(images, 10)


@pytest.fixture(scope="module")
def model(version):
    return Model(version)


def test_every_way_and_strength_is_predicted(model):
    message = []
    images = [
        *((name, False, grey(value)) for name, value in NORMAL.items()),
        *((name, True, grey(value)) for name, value in PNEUMONIA.items()),
    ]
    changed = predict_changed(
        model.predict, images, 0.5, progress=lambda *counts: message.append(counts)
    )
    found = changed.corruptions
    assert [(each.kind, each.strength) for each in found] == [
        (kind, strength) for kind in KINDS for strength in STRENGTHS
    ]
    assert {each.images for each in found} == {8}
    assert message[-1] == (584, 584)
    by_place = {(each.kind, each.strength): each for each in found}
    assert [each.kind for each in changed.shifts] == [*SHIFTS]
    assert {each.images for each in changed.shifts} == {8}
    # An even image has nothing to blur, and no contrast.
    assert by_place["gaussian_blur", 5].auc_drop == 0
    assert by_place["contrast_up", 5].auc_drop == 0
    assert by_place["brightness_down", 5].sensitivity < 1


def test_what_cannot_be_decoded_is_left_out(model):
    images = [("a", True, grey(200)), ("b", False, b"text"), ("c", False, grey(20))]
    changed = predict_changed(model.predict, images, 0.5)
    assert {each.images for each in [*changed.corruptions, *changed.shifts]} == {2}
    assert predict_changed(model.predict, [], 0.5) == Changed()
