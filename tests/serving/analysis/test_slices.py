import numpy as np
import pytest

from serving.analysis import slices
from tests.serving.analysis.samples import predicted


def test_subtypes_are_alone_and_against_all_that_is_normal():
    images = predicted([1, 1, 0, 0], [0.5] * 4, subtype=["virus", "bacteria", "normal", "normal"])
    found = slices.masks(images)
    assert {name: rows.tolist() for name, rows in found[slices.SUBTYPE].items()} == {
        "bacteria": [False, True, False, False],
        "normal": [False, False, True, True],
        "virus": [True, False, False, False],
    }
    assert {name: rows.tolist() for name, rows in found[slices.SUBTYPE_AGAINST_NORMAL].items()} == {
        "bacteria": [False, True, True, True],
        "virus": [True, False, True, True],
    }


def test_a_dimension_of_one_group_is_left_out():
    assert set(slices.masks(predicted([1, 0], [0.5] * 2))) == {slices.SUBTYPE}


def test_a_subtype_that_nothing_shows_is_not_a_group():
    images = predicted([1, 1, 0], [0.5] * 3, subtype=["", "", ""])
    assert slices.SUBTYPE not in slices.masks(images)


def test_sizes_are_reported_by_the_shorter_side():
    images = predicted(
        [1, 0, 1, 0], [0.5] * 4, width=[224, 250, 3000, 1499], height=[900, 250, 1500, 1600]
    )
    found = slices.masks(images)[slices.SHORTER_SIDE]
    assert {name: np.flatnonzero(rows).tolist() for name, rows in found.items()} == {
        "below 250 px": [0],
        "250-499 px": [1],
        "1000-1499 px": [3],
        "from 1500 px": [2],
    }


@pytest.mark.parametrize("side", [250, 500, 1000, 1500])
def test_a_range_of_sizes_ends_before_the_number_in_its_name(side):
    images = predicted([1, 0], [0.5] * 2, width=[side - 1, side], height=[3000] * 2)
    below, above = sorted(
        (int(rows.argmax()), name) for name, rows in slices.masks(images)["shorter side"].items()
    )
    assert str(side - 1) in below[1] or f"below {side}" in below[1]
    assert above[1].startswith(f"from {side}") or above[1].startswith(f"{side}-")


@pytest.mark.parametrize(("count", "name"), [(1, "1 image"), (2, "2-3 images"), (3, "2-3 images")])
def test_a_patient_of_few_images_is_in_the_range_of_its_name(count, name):
    images = predicted([1] * (count + 4), [0.5] * (count + 4), patient=["a"] * count + ["b"] * 4)
    found = slices.masks(images)[slices.IMAGES_OF_PATIENT]
    assert {key: int(rows.sum()) for key, rows in found.items()} == {name: count, "4 or more": 4}


def test_patients_are_reported_by_how_many_images_they_have():
    images = predicted([1] * 8, [0.5] * 8, patient=list("abbccccc"))
    found = slices.masks(images)[slices.IMAGES_OF_PATIENT]
    assert {name: int(rows.sum()) for name, rows in found.items()} == {
        "1 image": 1,
        "2-3 images": 2,
        "4 or more": 5,
    }


def test_any_other_column_is_a_dimension():
    images = predicted([1, 0, 1], [0.5] * 3, others={"site": np.array(["Rome", "", "Oslo"])})
    assert list(slices.masks(images)["site"]) == ["Oslo", "Rome"]
