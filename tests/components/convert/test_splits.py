import dataclasses
from collections import Counter, defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.components.convert import former
from tests.components.convert.alone import place
from tests.components.convert.former import Image

SPLIT_FOLDERS = ("train", "val", "test")


def xray(patient="a", sha256="0", folder="train", label="NORMAL", filename="x.png"):
    return Image(filename, folder, label, "unknown", patient, sha256, "png", 40, 40)


images = st.builds(
    xray,
    patient=st.sampled_from([None, *"abcdefgh"]),
    sha256=st.sampled_from([format(number, "064x") for number in range(12)]),
    folder=st.sampled_from(["", *SPLIT_FOLDERS]),
    label=st.sampled_from(["NORMAL", "NORMAL", "NORMAL", "PNEUMONIA"]),
)
plans = st.lists(images, max_size=30)


@settings(max_examples=300)
@given(plan=plans, seed=st.integers())
def test_each_image_goes_where_it_went_when_all_were_held_in_memory(plan, seed):
    before = former.place(plan, seed=seed)
    assert place(plan, seed=seed) == [
        (each.patient, each.split, each.quarantined) for each in before
    ]


def conflicting(plan):
    labels = defaultdict(set)
    for each in plan:
        labels[each.sha256].add(each.label)
    return {sha256 for sha256, found in labels.items() if len(found) > 1}


@settings(max_examples=200)
@given(plan=plans, seed=st.integers())
def test_no_patient_and_no_image_is_in_two_splits(plan, seed):
    splits = defaultdict(set)
    for each, placement in zip(plan, place(plan, seed=seed), strict=True):
        if placement.split:
            for shown in (placement.patient, each.patient or each.sha256, each.sha256):
                splits[shown].add(placement.split)
    assert all(len(found) == 1 for found in splits.values())


@settings(max_examples=200)
@given(plan=plans, seed=st.integers())
def test_patients_that_share_an_image_count_as_one(plan, seed):
    joined = defaultdict(set)
    for each, placement in zip(plan, place(plan, seed=seed), strict=True):
        joined[each.patient or each.sha256].add(placement.patient)
        joined[each.sha256].add(placement.patient)
    assert all(len(found) == 1 for found in joined.values())


@settings(max_examples=200)
@given(plan=plans, seed=st.integers())
def test_exactly_the_bytes_under_both_classes_are_quarantined(plan, seed):
    for each, placement in zip(plan, place(plan, seed=seed), strict=True):
        assert (placement.quarantined is not None) == (each.sha256 in conflicting(plan))
        assert placement.quarantined is None or placement.split is None


@settings(max_examples=200)
@given(plan=plans, seed=st.integers())
def test_the_test_folder_stays_and_its_patients_are_dropped_elsewhere(plan, seed):
    placed = list(zip(plan, place(plan, seed=seed), strict=True))
    good = [(each, placement) for each, placement in placed if not placement.quarantined]
    in_test = {placement.patient for each, placement in good if each.folder == "test"}
    for each, placement in good:
        if each.folder == "test":
            assert placement.split == "test"
        elif placement.patient in in_test:
            assert placement.split is None
        else:
            assert placement.split in (("train", "eval") if in_test else (*SPLIT_FOLDERS, "eval"))


@settings(max_examples=200)
@given(plan=plans, seed=st.integers(), data=st.data())
def test_the_order_of_the_files_decides_nothing(plan, seed, data):
    order = data.draw(st.permutations(range(len(plan))))
    placed = place(plan, seed=seed)
    shuffled = place([plan[index] for index in order], seed=seed)
    assert shuffled == [placed[index] for index in order]


@settings(max_examples=200)
@given(plan=plans, seed=st.integers(), folder=st.sampled_from(["", "train", "val"]), data=st.data())
def test_an_image_that_is_added_moves_no_other(plan, seed, folder, data):
    known = st.sampled_from([*{each.patient for each in plan}, "newcomer"])
    added = xray(data.draw(known), "f" * 64, folder)
    assert place([added, *plan], seed=seed)[1:] == place(plan, seed=seed)


@settings(max_examples=200)
@given(plan=plans, seed=st.integers())
def test_a_patient_that_is_added_to_a_given_test_moves_no_other(plan, seed):
    given_test = [xray("in test", "e" * 64, "test"), *plan]
    added = xray("newcomer", "f" * 64, "test")
    assert place([*given_test, added], seed=seed)[:-1] == place(given_test, seed=seed)


def shares(folder, extra=()):
    plan = [
        xray(f"{label}-{number}", f"{label}-{number}", folder, label)
        for label, patients in (("NORMAL", 2000), ("PNEUMONIA", 5000))
        for number in range(patients)
    ]
    placed = place([*plan, *extra], seed=7)[: len(plan)]
    counts = Counter((each.label, at.split) for each, at in zip(plan, placed, strict=True))
    return {
        (label, split): round(counts[label, split] / patients, 2)
        for label, patients in (("NORMAL", 2000), ("PNEUMONIA", 5000))
        for split in ("train", "eval", "test")
    }


def close(found, train, evaluation, test):
    wanted = {"train": train, "eval": evaluation, "test": test}
    return all(abs(share - wanted[split]) <= 0.02 for (_, split), share in found.items())


def test_each_class_is_split_80_20_beside_a_test_folder():
    assert close(shares("train", [xray("x", "x", "test")]), 0.80, 0.20, 0)


def test_each_class_is_split_70_15_15_without_a_test_folder():
    assert close(shares(""), 0.70, 0.15, 0.15)


def test_val_is_split_like_train():
    train = [xray(str(number), str(number)) for number in range(50)]
    val = [dataclasses.replace(each, folder="val") for each in train]
    assert place(val, seed=7) == place(train, seed=7)


def test_another_seed_gives_another_split():
    plan = [xray(str(number), str(number)) for number in range(50)]
    assert place(plan, seed=1) != place(plan, seed=2)


def test_an_image_of_nobody_is_its_own_patient():
    first, second, copy = place([xray(None, "1"), xray(None, "2"), xray(None, "1")], seed=7)
    assert first.patient == copy.patient == "image-1"
    assert second.patient == "image-2"


def test_joined_patients_have_the_name_of_a_patient():
    plan = [xray(None, "1"), xray("zoe", "1"), xray("zoe", "2"), xray("yves", "2")]
    assert {placement.patient for placement in place(plan, seed=7)} == {"yves"}


def copied(copies, *arguments, **known):
    return dataclasses.replace(xray(*arguments, **known), copies=copies)


def test_copies_of_other_bytes_are_kept_together_with_their_patients():
    plan = [copied("c", "a", "1"), copied("c", "b", "2"), xray("b", "3"), xray("d", "4")]
    placed = place(plan, seed=7)
    assert [each.patient for each in placed] == ["a", "a", "a", "d"]


def test_a_copy_of_an_image_of_the_test_folder_is_dropped():
    plan = [copied("c", None, "1", "test"), copied("c", None, "2"), copied("e", None, "3")]
    assert [(each.split, each.quarantined) for each in place(plan, seed=7)][:2] == [
        ("test", None),
        (None, None),
    ]
    assert place(plan, seed=7)[2].split in ("train", "eval")


def test_copies_under_both_classes_are_quarantined():
    plan = [copied("c", "a", "1"), copied("c", "b", "2", label="PNEUMONIA", filename="y.png")]
    assert [each.quarantined for each in place(plan, seed=7)] == [
        "same image under both classes: as NORMAL here, the other is y.png",
        "same image under both classes: as PNEUMONIA here, the other is x.png",
    ]


@settings(max_examples=100)
@given(plan=plans, seed=st.integers())
def test_images_without_copies_are_placed_as_by_their_bytes(plan, seed):
    marked = [dataclasses.replace(each, copies=each.sha256) for each in plan]
    assert place(marked, seed=seed) == place(plan, seed=seed)


def test_a_conflict_names_the_other_file():
    plan = [
        xray("a", "1", label="NORMAL", filename="train/NORMAL/a.png"),
        xray("b", "1", label="PNEUMONIA", filename="train/PNEUMONIA/b.png"),
    ]
    assert [placement.quarantined for placement in place(plan, seed=7)] == [
        "same image under both classes: as NORMAL here, the other is train/PNEUMONIA/b.png",
        "same image under both classes: as PNEUMONIA here, the other is train/NORMAL/a.png",
    ]
