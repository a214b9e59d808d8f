from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.synthetic.plan import plan
from serving.images.patient_names import known_patient
from serving.images.patients import subtype

PLAN = plan(600, 7)


def test_there_are_as_many_images_as_were_requested():
    assert [image.index for image in PLAN] == list(range(600))


@given(short=st.integers(1, 80), more=st.integers(0, 40), seed=st.integers(0, 2**32))
def test_a_longer_plan_begins_with_the_shorter(short, more, seed):
    assert plan(short + more, seed)[:short] == plan(short, seed)


def test_another_seed_gives_another_plan():
    assert plan(60, 7) != plan(60, 8)


def test_no_two_images_have_one_name():
    assert len({image.path for image in PLAN}) == 600


def test_no_patient_is_in_two_splits_or_subtypes():
    groups = defaultdict(set)
    for image in PLAN:
        groups[image.patient].add((image.split, image.subtype))
    assert {len(found) for found in groups.values()} == {1}


def test_patients_have_one_to_five_images():
    counts = Counter(image.patient for image in PLAN)
    assert set(counts.values()) == {1, 2, 3, 4, 5}


def test_the_names_show_patient_and_subtype_as_in_the_public_dataset():
    patients = defaultdict(set)
    for image in PLAN:
        folder, name = image.path.rsplit("/", 1)
        assert folder == f"{image.split}/{image.label_name}"
        assert subtype(image.label_name, name) == image.subtype
        patients[known_patient(name)].add(image.patient)
    assert {len(found) for found in patients.values()} == {1}
    assert len(patients) == len({image.patient for image in PLAN})


@pytest.mark.parametrize("images", [60, 150, 600, 2000])
def test_the_shares_hold_at_any_length(images):
    splits = Counter(image.split for image in plan(images, 7))
    subtypes = Counter(image.subtype for image in plan(images, 7))
    assert splits["test"] / images == pytest.approx(0.225, abs=0.05)
    assert splits["val"] <= 16
    assert [subtypes[name] / images for name in ("normal", "bacteria", "virus")] == pytest.approx(
        [0.37, 0.38, 0.25], abs=0.06
    )


def test_the_format_is_not_the_business_of_the_class():
    share = {}
    for label in ("NORMAL", "PNEUMONIA"):
        paths = [image.path for image in plan(5000, 7) if image.label_name == label]
        share[label] = sum(path.endswith(".png") for path in paths) / len(paths)
    assert list(share.values()) == pytest.approx([0.08, 0.08], abs=0.02)
