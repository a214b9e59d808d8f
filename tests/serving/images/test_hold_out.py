from collections import Counter, defaultdict
from typing import get_args

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from serving.images.hold_out import Group, held_out
from tests.components.convert import former
from tests.components.convert.alone import place
from tests.components.convert.former import Image
from transform_module.errors import UserError
from transform_module.images.measures import MEASURES

GROUPS = get_args(Group)


def xray(number, subtype="bacteria", *, folder="train", side=40, sha256=None, level=0.0):
    label = "NORMAL" if subtype == "normal" else "PNEUMONIA"
    sha256 = sha256 or f"{subtype}{number}{folder}{side}{level}"
    measures = dict.fromkeys(MEASURES, level)
    patient = f"{subtype}-{number}"
    return Image(
        f"person0_{subtype}_0.png",
        folder,
        label,
        subtype,
        patient,
        sha256,
        "png",
        side,
        40,
        measures,
    )


images = st.builds(
    xray,
    number=st.integers(0, 12),
    subtype=st.sampled_from(["normal", "bacteria", "virus"]),
    folder=st.sampled_from(["train", "val", "", "test"]),
    side=st.integers(32, 99),
    level=st.floats(0, 255),
    # Some images are shown of two patients, who then are one.
    sha256=st.sampled_from([None, None, None, "copied"]),
)


def placed(plan, group, seed=7):
    """Images with their placements; skips a plan that leaves nothing to hold out."""
    try:
        return list(zip(plan, place(plan, seed=seed, hold_out=group), strict=True))
    except UserError:
        reject()


@pytest.mark.slow
@settings(max_examples=100)
@given(plan=st.lists(images, min_size=20, max_size=50), group=st.sampled_from(GROUPS))
def test_no_patient_is_in_two_splits_and_each_class_is_predicted(plan, group):
    splits, tested, learnt = defaultdict(set), set(), set()
    in_test_folder = set()
    for each, placement in placed(plan, group):
        splits[placement.patient].add(placement.split)
        if each.folder == "test" and not placement.quarantined:
            in_test_folder.add(placement.patient)
            assert placement.split is None
        elif placement.split:
            (tested if placement.split == "test" else learnt).add(each.label)
    assert all(len(found - {None}) <= 1 for found in splits.values())
    assert all(splits[patient] == {None} for patient in in_test_folder)
    assert tested == learnt == {"NORMAL", "PNEUMONIA"}


@pytest.mark.slow
@settings(max_examples=50)
@given(
    plan=st.lists(images, min_size=20, max_size=50),
    order=st.randoms(),
    group=st.sampled_from(GROUPS),
)
def test_the_order_of_the_images_decides_nothing(plan, order, group):
    before = placed(plan, group)
    order.shuffle(before)
    after = placed([each for each, _ in before], group)
    assert [placement for _, placement in after] == [placement for _, placement in before]


@settings(max_examples=100)
@given(plan=st.lists(images, min_size=20, max_size=50), group=st.sampled_from(GROUPS))
def test_those_are_held_out_that_were_when_all_were_held_in_memory(plan, group):
    for each, placement in zip(
        former.place(plan, seed=7, hold_out=group) if placed(plan, group) else (),
        place(plan, seed=7, hold_out=group),
        strict=True,
    ):
        assert placement == (each.patient, each.split, each.quarantined)


def hospital():
    """Ten patients of each subtype, with two images each: the higher the number, the more."""
    return [
        xray(number, subtype, side=40 + 4 * number, level=float(10 * number + view))
        for subtype in ("normal", "bacteria", "virus")
        for number in range(10)
        for view in range(2)
    ]


def patients_of_test(group):
    return sorted({p.patient for _, p in placed(hospital(), group) if p.split == "test"})


@pytest.mark.parametrize("name", [*MEASURES, "size"])
def test_the_outer_fifth_of_each_class_is_held_out(name):
    least = ["bacteria-0", "bacteria-1", "normal-0", "normal-1", "virus-0", "virus-1"]
    most = ["bacteria-8", "bacteria-9", "normal-8", "normal-9", "virus-8", "virus-9"]
    assert patients_of_test(f"{name}=low") == least
    assert patients_of_test(f"{name}=high") == most


def test_the_first_patients_are_held_out_by_number():
    numbers = [2, 10, 30, 101, 1000]
    plan = [xray(number, kind) for number in numbers for kind in ("normal", "virus")]
    held = {p.patient for _, p in placed(plan, "patients=first") if p.split == "test"}
    assert held == {"normal-2", "virus-2"}


def test_a_subtype_is_held_out_whole_with_a_fifth_of_the_normal_patients():
    kinds = Counter(
        (each.subtype, placement.split) for each, placement in placed(hospital(), "subtype=virus")
    )
    assert kinds["virus", "test"] == 20
    assert kinds["bacteria", "test"] == 0
    assert kinds["normal", "test"] == 4


def test_other_normal_patients_go_with_a_subtype_where_the_seed_is_another():
    held = {
        seed: {p.patient for _, p in placed(hospital(), "subtype=virus", seed) if p.split == "test"}
        for seed in range(4)
    }
    assert len({frozenset(each) for each in held.values()}) > 1


@pytest.mark.parametrize(
    ("subtypes", "group", "message"),
    [
        (("normal", "bacteria"), "subtype=virus", "0 of 9"),
        (("normal", "virus"), "subtype=virus", "9 of 9"),
        (("normal", "virus"), "size=low", "0 of 9"),
        (("virus",), "patients=first", "0 of 0 patients of the class NORMAL"),
    ],
    ids=["nobody has it", "everybody has it", "all are of one size", "a class is missing"],
)
def test_a_group_that_leaves_nothing_to_predict_or_to_learn_is_refused(subtypes, group, message):
    plan = [xray(number, subtype) for number in range(9) for subtype in subtypes]
    with pytest.raises(UserError, match=message):
        place(plan, seed=7, hold_out=group)


def patients_of_test_without_a_number_are_never_the_first():
    shown = {f"{name}-{number}": [xray(number, "normal")] for name in "ab" for number in (3, 4)}
    shown |= {"someone": [xray(0, "normal")]}
    shown |= {f"v-{number}": [xray(number, "virus")] for number in range(5)}
    assert held_out(shown, "patients=first", seed=7) == {"a-3", "v-0"}
