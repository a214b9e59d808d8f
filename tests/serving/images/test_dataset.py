import pytest

from serving.images.dataset import Dataset, Finding, FolderCount, SplitCount
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
