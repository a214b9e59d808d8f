import hashlib
import json

import pytest

from serving.images.dataset import (
    Dataset,
    Example,
    FileKind,
    Finding,
    FolderCount,
    Leak,
    Shortcut,
    SplitCount,
    Survey,
)
from transform_module.errors import UserError


def folder(folder="train", label="NORMAL", **counts):
    zeros = dict.fromkeys(("read", "train", "eval", "test", "quarantined", "skipped", "dropped"), 0)
    return FolderCount(folder=folder, label=label, **zeros | counts)


DATASET = Dataset(
    fingerprint="ab",
    source_fingerprint="cd",
    seed=7,
    shards=2,
    folders=(folder(read=5, train=2, quarantined=1, skipped=1, dropped=1),),
    splits=(
        SplitCount(split="train", label="NORMAL", subtype="normal", images=9, patients=4),
        SplitCount(split="train", label="PNEUMONIA", subtype="virus", images=5, patients=3),
        SplitCount(split="train", label="PNEUMONIA", subtype="bacteria", images=2, patients=1),
        SplitCount(split="test", label="NORMAL", subtype="normal", images=1, patients=1),
    ),
    quarantine_reasons={"text file": 1},
    dropped_patients=("virus-1",),
    versions={"python": "3.11"},
)


def test_what_is_saved_is_loaded(tmp_path):
    saved = DATASET.save(tmp_path)
    assert Dataset.load(tmp_path) == saved
    assert saved.model_copy(update={"checksum": ""}) == DATASET


def test_the_same_dataset_is_saved_as_the_same_bytes(tmp_path):
    DATASET.save(tmp_path)
    before = (tmp_path / "dataset.json").read_bytes()
    Dataset.load(tmp_path).save(tmp_path)
    assert (tmp_path / "dataset.json").read_bytes() == before


def test_a_finding_names_files_without_control_characters():
    found = Finding(kind="unlike", images=2, message="Two.", examples=("a\x1b[2J\n.png", "é.png"))
    assert found.sentence == r"Two. Such as: a\x1b[2J\x0a.png, é.png"


def test_a_folder_without_dataset_is_named_with_the_way_out(tmp_path):
    with pytest.raises(UserError, match=r"holds no converted dataset.*cxr convert IMAGES OUT"):
        Dataset.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"\xff", b'{"seed": "x"}'])
def test_a_damaged_description_is_refused(tmp_path, content):
    (tmp_path / "dataset.json").write_bytes(content)
    with pytest.raises(
        UserError, match=r"dataset.json is damaged, or .*: .*\. Remove .* and convert again"
    ):
        Dataset.load(tmp_path)


def test_a_description_that_says_something_else_than_was_written_is_refused(tmp_path):
    DATASET.save(tmp_path)
    path = tmp_path / "dataset.json"
    path.write_text(path.read_text().replace('"pictures": 9', '"pictures": 8'))
    with pytest.raises(UserError, match="its checksum differs"):
        Dataset.load(tmp_path)


def test_a_description_that_cannot_be_opened_is_named(tmp_path):
    (tmp_path / "dataset.json").mkdir()
    with pytest.raises(UserError, match=r"dataset.json cannot be read: Is a directory"):
        Dataset.load(tmp_path)


@pytest.mark.parametrize(
    ("split", "label", "images"),
    [("train", None, 16), ("train", "PNEUMONIA", 7), ("test", "PNEUMONIA", 0), ("eval", None, 0)],
)
def test_images_are_counted_by_split_and_class(split, label, images):
    assert DATASET.images(split, label) == images


def test_what_no_split_holds_is_named():
    assert DATASET.missing == (("eval", "NORMAL"), ("eval", "PNEUMONIA"), ("test", "PNEUMONIA"))


def test_a_lost_file_is_noticed():
    assert DATASET.folders[0].adds_up
    assert DATASET.folders[0].written == 2
    assert not folder(read=5, train=2, quarantined=1, skipped=1).adds_up


def test_how_many_images_were_encoded_anew_is_said_by_format():
    dataset = DATASET.model_copy(update={"reencoded": {"dicom": 1200, "tiff": 2}})
    assert dataset.sentences == (
        "Images encoded anew, without loss, as PNG: DICOM: 1,200, TIFF: 2.",
    )


SURVEY = Survey(
    images=17,
    measured=17,
    patients=9,
    kinds=(),
    spreads=(),
    shortcuts=(
        Shortcut(name="file size", normal=9, pneumonia=5, auc=0.1, low=0.05, high=0.2),
        Shortcut(name="contrast", normal=9, pneumonia=5, auc=0.7, low=0.6, high=0.8),
        Shortcut(name="width", normal=9, pneumonia=5, auc=1.0),
    ),
    duplicates=0,
    leaks=(Leak(kind="patients", folders="train, test", groups=1, images=2),),
    examples=(Example(kind="typical", about="NORMAL", number=1, path="anna.png"),),
)


def test_a_dataset_that_was_made_without_a_survey_is_loaded(tmp_path):
    text = DATASET.model_dump_json(exclude={"survey", "checksum"})
    checksum = hashlib.sha256(text.encode()).hexdigest()
    (tmp_path / "dataset.json").write_text(json.dumps({**json.loads(text), "checksum": checksum}))
    assert Dataset.load(tmp_path).survey is None


def test_a_survey_is_covered_by_the_checksum(tmp_path):
    DATASET.model_copy(update={"survey": SURVEY}).save(tmp_path)
    assert Dataset.load(tmp_path).survey == SURVEY
    text = (tmp_path / "dataset.json").read_text()
    (tmp_path / "dataset.json").write_text(text.replace("anna.png", "bob.png"))
    with pytest.raises(UserError, match="checksum differs"):
        Dataset.load(tmp_path)


def test_all_that_is_to_be_looked_at_is_a_warning():
    findings = (
        Finding(kind="unlike", images=1, message="One is unlike.", examples=("a.png",)),
        Finding(kind="turned", images=1, message="One is turned.", examples=("b.png",)),
    )
    update = {"survey": SURVEY, "findings": findings, "layout_warnings": ("Look at c.png.",)}
    found = DATASET.model_copy(update=update)
    *others, one, two, three, four, five = found.warnings
    assert others == [
        "1 file is quarantined: text file 1.",
        "Look at c.png.",
        "One is unlike. Such as: a.png",
    ]
    assert one == "1 patient is in the folders train and test: 2 images outside test were dropped."
    assert two.startswith(
        "File size alone separates the classes: AUC 0.100, 0.050 to 0.200 (less of it means "
        "PNEUMONIA)."
    )
    assert [three, four, five] == [
        "The split eval holds no NORMAL.",
        "The split eval holds no PNEUMONIA.",
        "The split test holds no PNEUMONIA.",
    ]
    assert not any(".png" in each for each in found.nameless_warnings)
    assert len(found.nameless_warnings) == len(found.warnings) - 1


def test_views_are_a_kind_where_any_is_known():
    kinds = [
        FileKind(format="png", colours="grey", bits="8", view=view, label="NORMAL", images=images)
        for view, images in (("", 3), ("PA", 4))
    ]
    survey = SURVEY.model_copy(update={"kinds": tuple(kinds)})
    assert survey.images_by_kind == {
        ("png", "grey", "8", "unknown"): {"NORMAL": 3},
        ("png", "grey", "8", "PA"): {"NORMAL": 4},
    }
    survey = SURVEY.model_copy(update={"kinds": (kinds[0],)})
    assert survey.images_by_kind == {("png", "grey", "8"): {"NORMAL": 3}}


def test_a_clean_dataset_has_no_warnings():
    whole = tuple(
        SplitCount(split=split, label=label, subtype="unknown", images=1, patients=1)
        for split in ("train", "eval", "test")
        for label in ("NORMAL", "PNEUMONIA")
    )
    update = {"splits": whole, "quarantine_reasons": {}}
    assert DATASET.model_copy(update=update).warnings == ()


@pytest.mark.parametrize(
    ("leak", "sentence"),
    [
        (
            Leak(kind="copies", folders="train, test", groups=2, images=1),
            "2 images are in the folders train and test, as copies: 1 image outside test was "
            "dropped.",
        ),
        (
            Leak(kind="patients", folders="train, val", groups=3, images=9),
            "3 patients are in the folders train and val (9 images): each was put into one split.",
        ),
        (
            Leak(kind="patients", folders="train, val, test", groups=1, images=2),
            "1 patient is in the folders train, val and test: 2 images outside test were dropped.",
        ),
    ],
)
def test_a_leak_says_what_became_of_it(leak, sentence):
    assert leak.sentence == sentence
