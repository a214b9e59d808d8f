from hypothesis import given
from hypothesis import strategies as st

from components.convert.outcomes import count_folders, count_reasons, count_splits, decide
from tests.components.convert.folders import source


def inspection(index, sha256, reason=None):
    known = {"format": "png", "width": 40, "height": 50} if reason is None else {}
    return {"index": index, "sha256": sha256, "reason": reason, **known}


def patient_of(file):
    return file.filename.rsplit("/", 1)[-1].split("_")[0]


def decided(files, inspections):
    return decide(files, inspections, patient_of, seed=7)


FILES = [
    source("train/NORMAL/a_1", "train", "NORMAL"),
    source("train/NORMAL/b_1", "train", "NORMAL"),
    source("train/NORMAL/.DS_Store", "train", "NORMAL", skipped="system file"),
    source("train/NORMAL/broken", "train", "NORMAL"),
    source("train/NORMAL/nowhere", "train", "NORMAL", readable=False, problem="link: nowhere"),
    source("list.csv", "", "", problem="outside the class folders"),
    source("test/PNEUMONIA/a_2", "test"),
    source("test/PNEUMONIA/person9_virus_1", "test"),
]
FOUND = [
    inspection(3, "broken", "truncated JPEG"),
    inspection(1, "b1"),
    inspection(0, "a1"),
    inspection(5, "list", "text file"),
    inspection(6, "a2"),
    inspection(7, "c1"),
]


def test_every_file_goes_to_one_place():
    outcomes = decided(FILES, FOUND)
    assert [outcome.file for outcome in outcomes] == FILES
    assert [outcome.place for outcome in outcomes] == [
        "dropped",
        "train",
        "skipped",
        "quarantined",
        "quarantined",
        "quarantined",
        "test",
        "test",
    ]


def test_what_is_known_without_reading_goes_before_what_reading_found():
    assert [outcome.quarantined for outcome in decided(FILES, FOUND)[3:6]] == [
        "truncated JPEG",
        "link: nowhere",
        "outside the class folders",
    ]


def test_only_what_is_written_has_features():
    outcomes = decided(FILES, FOUND)
    assert [bool(outcome.features) for outcome in outcomes] == [
        outcome.split is not None for outcome in outcomes
    ]


def test_the_sums_of_a_folder_and_class():
    counts = [tuple(dict(count).values()) for count in count_folders(decided(FILES, FOUND))]
    assert counts == [
        ("train", "NORMAL", 5, 1, 0, 0, 2, 1, 1),
        ("test", "PNEUMONIA", 2, 0, 0, 2, 0, 0, 0),
        ("", "", 1, 0, 0, 0, 1, 0, 0),
    ]


def test_the_splits_are_counted_by_subtype_with_their_patients():
    files = [*FILES, source("test/PNEUMONIA/person9_virus_2", "test")]
    counts = count_splits(decided(files, [*FOUND, inspection(8, "c2")]))
    assert [tuple(dict(count).values()) for count in counts] == [
        ("train", "NORMAL", "normal", 1, 1),
        ("test", "PNEUMONIA", "unknown", 1, 1),
        ("test", "PNEUMONIA", "virus", 2, 1),
    ]


def test_reasons_are_counted_without_particulars_commonest_first():
    files = [source(name, "train") for name in "abcd"]
    reasons = ["text file", "too small: 1x1", "too small: 2x2", None]
    found = [inspection(index, str(index), reason) for index, reason in enumerate(reasons)]
    assert list(count_reasons(decided(files, found)).items()) == [
        ("too small", 2),
        ("text file", 1),
    ]


@st.composite
def folders(draw):
    files, found = [], []
    for index in range(draw(st.integers(0, 25))):
        label = draw(st.sampled_from(["NORMAL", "PNEUMONIA", ""]))
        file = source(
            f"{draw(st.sampled_from('abcdef'))}_{index}",
            draw(st.sampled_from(["", "train", "val", "test"])),
            label,
            skipped=draw(st.sampled_from([None, None, "system file"])),
            problem=None if label else "outside the class folders",
            readable=draw(st.booleans()),
        )
        if not file.readable and not file.skipped:
            file = source(file.filename, file.folder, label, readable=False, problem="a pipe")
        if file.readable and not file.skipped:
            reason = draw(st.sampled_from([None, None, "truncated PNG"]))
            found.append(inspection(index, draw(st.sampled_from("123456789")), reason))
        files.append(file)
    return files, draw(st.permutations(found))


@given(folders())
def test_no_file_is_lost_whatever_is_found(case):
    files, found = case
    counts = count_folders(decided(files, found))
    assert all(count.adds_up for count in counts)
    assert sum(count.read for count in counts) == len(files)
