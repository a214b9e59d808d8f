from hypothesis import given
from hypothesis import strategies as st

from components.convert.outcomes import Outcome
from components.convert.tally import (
    EXAMPLES,
    Mark,
    Tally,
    count_folders,
    count_known,
    count_reasons,
    count_reencoded,
    count_skipped,
    count_splits,
)
from serving.images.patient_names import Patient
from tests.components.convert.alone import tallied
from tests.components.convert.folders import source

FILES = [
    Outcome(source("train/NORMAL/a_1", "train", "NORMAL"), 0, patient="a"),
    Outcome(source("train/NORMAL/b_1", "train", "NORMAL"), 1, split="train"),
    Outcome(source("train/NORMAL/.DS_Store", "train", "NORMAL", skipped="system file"), 2),
    Outcome(source("train/NORMAL/broken", "train", "NORMAL"), 3, quarantined="truncated JPEG"),
    Outcome(source("list.csv", "", ""), 4, quarantined="outside the class folders: expected"),
    Outcome(source("test/PNEUMONIA/a_2", "test"), 5, split="test"),
]


def test_the_sums_of_a_folder_and_class():
    counts = [tuple(dict(count).values()) for count in count_folders(tallied(FILES))]
    assert counts == [
        ("train", "NORMAL", 4, 1, 0, 0, 1, 1, 1),
        ("test", "PNEUMONIA", 1, 0, 0, 1, 0, 0, 0),
        ("", "", 1, 0, 0, 0, 1, 0, 0),
    ]


def test_the_splits_are_counted_by_subtype_with_their_patients():
    counts = count_splits(
        tallied(
            Outcome(source(name, "test"), index, split="test", stands_for_patient=stands)
            for index, (name, stands) in enumerate(
                [("person9_virus_1", True), ("person9_virus_2", False), ("x", True)]
            )
        )
    )
    assert [tuple(dict(count).values()) for count in counts] == [
        ("test", "PNEUMONIA", "unknown", 1, 1),
        ("test", "PNEUMONIA", "virus", 2, 1),
    ]


def test_reasons_are_counted_without_particulars_commonest_first():
    reasons = ["text file", "too small: 1x1", "too small: 2x2", None]
    found = [
        Outcome(source(str(index)), index, quarantined=reason)
        for index, reason in enumerate(reasons)
    ]
    assert list(count_reasons(tallied(found)).items()) == [("too small", 2), ("text file", 1)]


def test_what_is_as_frequent_comes_in_the_order_of_the_files():
    skipped = [
        Outcome(source(str(index), skipped=reason), index)
        for index, reason in enumerate(["b", "a", "c", "c"])
    ]
    assert list(count_skipped(tallied(reversed(skipped)))) == ["c", "b", "a"]


def test_the_patients_are_counted_by_what_names_them():
    owners = [Patient("1", "the table"), None, Patient("2", "a hash", is_patient=False)]
    found = [Outcome(source(str(at)), at, owner, split="train") for at, owner in enumerate(owners)]
    bad = Outcome(source("x"), 9, Patient("3", "the table"), quarantined="text file")
    assert dict(count_known(tallied([*found, bad]))) == {
        "images": 3,
        "known": 1,
        "by": {"the table": 1},
        "no_patient_in": {"a hash": 1},
    }


some_marks = st.lists(
    st.builds(
        Mark,
        key=st.tuples(st.sampled_from("ab")),
        order=st.tuples(st.integers(0, 20)),
        example=st.sampled_from([None, *"xyz"]),
        number=st.integers(0, 3),
    ),
    max_size=40,
)


@given(marks=some_marks, cut=st.integers(0, 40), order=st.randoms())
def test_parts_are_added_up_in_any_order(marks, cut, order):
    whole = Tally(marks)
    order.shuffle(marks)
    parts = Tally(marks[cut:])
    parts += Tally(marks[:cut])
    for key in ("a", "b"):
        listed = [mark for mark in marks if mark.key == (key,)]
        examples = {(mark.order, mark.example) for mark in listed if mark.example}
        expected = (sum(mark.number for mark in listed), tuple(sorted(examples)[:EXAMPLES]))
        assert whole[key,] == parts[key,] == expected


def test_records_that_were_encoded_anew_are_counted_by_format():
    formats = ("png", "dicom", "tiff", "dicom", "jpeg")
    images = [
        Outcome(source(f"{index}"), index, format=form, split="train")
        for index, form in enumerate(formats)
    ]
    dropped = Outcome(source("9"), 9, format="webp", patient="a")
    assert count_reencoded(tallied([*images, dropped])) == {"dicom": 2, "tiff": 1}
