from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.analysis.corruptions import KINDS, STRENGTHS
from components.images.settings import DatasetSettings
from serving.evaluate.corrupting import choose, predict_corrupted
from serving.evaluate.labelled import Labelled, find
from serving.model import Model


def labelled(normal, ill):
    return [
        Labelled(Path(f"{label}{number}"), f"{label}{number}", label, "", None)
        for label, count in (("NORMAL", normal), ("PNEUMONIA", ill))
        for number in range(count)
    ]


@given(st.integers(0, 30), st.integers(0, 30), st.integers(2, 20).map(lambda half: 2 * half))
def test_the_sample_is_as_even_as_it_can_be(normal, ill, sample):
    images = labelled(normal, ill)
    chosen = choose(images, sample)
    counts = [sum(each.label == label for each in chosen) for label in ("NORMAL", "PNEUMONIA")]
    assert sum(counts) == min(sample, normal + ill)
    assert min(counts) == min(normal, ill, sample // 2)
    assert chosen == [each for each in images if each in chosen]


def test_another_order_chooses_the_same():
    images = labelled(20, 20)
    chosen = {each.name for each in choose(images, 10)}
    assert {each.name for each in choose(images[::-1], 10)} == chosen


@pytest.fixture(scope="module")
def model(version):
    return Model(version)


def test_every_way_and_strength_is_predicted(model, images):
    message = []
    found = predict_corrupted(
        model.answer,
        find(images, DatasetSettings()).images,
        0.5,
        progress=lambda *counts: message.append(counts),
    )
    assert [(each.kind, each.strength) for each in found] == [
        (kind, strength) for kind in KINDS for strength in STRENGTHS
    ]
    assert {each.images for each in found} == {8}
    assert message[-1] == (248, 248)
    by_place = {(each.kind, each.strength): each for each in found}
    # An even image has nothing to blur; half of white added makes everything white enough.
    assert by_place["blur", 5].auc_drop == 0
    assert by_place["brightness", 5].specificity == 0
    assert by_place["brightness", 5].sensitivity == 1


def test_images_that_are_gone_meanwhile_are_left_out(model, images):
    found = find(images, DatasetSettings()).images
    (images / "NORMAL" / "x.png").unlink()
    assert {each.images for each in predict_corrupted(model.answer, found, 0.5)} == {7}
    for file in images.rglob("*.png"):
        file.unlink()
    assert predict_corrupted(model.answer, found, 0.5) == []
