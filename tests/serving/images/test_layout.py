import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.images.layout import scan, unnamed
from serving.images.settings import DatasetSettings
from tests.components.convert.folders import fill
from transform_module.errors import UserError

AS_ROOT = pytest.mark.skipif(os.geteuid() == 0, reason="permission bits do nothing for root")
GOOD = "train/NORMAL/good.png"


def only(images: Path, path: bytes):
    (found,) = [file for file in scan(images) if file.path == path]
    return found


@pytest.mark.parametrize(
    ("path", "folder", "label", "below"),
    [
        ("train/NORMAL/a.jpeg", "train", "NORMAL", "a.jpeg"),
        ("Val/Pneumonia/a.JPG", "val", "PNEUMONIA", "a.JPG"),
        ("train /NORMAL /a.png", "train", "NORMAL", "a.png"),
        ("TEST/normal/ward 3/bed/a.png", "test", "NORMAL", "ward 3/bed/a.png"),
        ("NORMAL/a.gif", "", "NORMAL", "a.gif"),
        ("pneumonia/NORMAL/a.bmp", "", "PNEUMONIA", "NORMAL/a.bmp"),
        ("train/PNEUMONIA/without_suffix", "train", "PNEUMONIA", "without_suffix"),
    ],
)
def test_every_layout_is_recognised(tmp_path, path, folder, label, below):
    (file,) = scan(fill(tmp_path, {path: b"12345"}))
    assert (file.folder, file.label, file.below_class) == (folder, label, below)
    assert (file.filename, file.size, file.problem) == (path, 5, None)
    assert file.readable
    assert not file.skipped


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("training", "train"),
        ("Valid", "val"),
        ("validation", "val"),
        ("dev", "val"),
        ("TESTING", "test"),
    ],
)
@pytest.mark.parametrize("path", ["{}/NORMAL/ward/a.png", "NORMAL/{}/ward/a.png"])
def test_the_splits_go_by_other_names_and_below_the_classes_too(tmp_path, name, split, path):
    (file,) = scan(fill(tmp_path, {path.format(name): b"1"}))
    assert (file.folder, file.label, file.below_class) == (split, "NORMAL", "ward/a.png")


def test_files_beside_splits_below_their_class_are_refused(tmp_path):
    fill(tmp_path, {"NORMAL/test/a.png": b"1", "PNEUMONIA/b.png": b"1", "PNEUMONIA/c.txt": b"1"})
    with pytest.raises(UserError, match=r"1 files are in folders of splits .*NORMAL/test/a.png"):
        scan(tmp_path)


def test_two_splits_of_one_file_are_a_problem(tmp_path):
    fill(tmp_path, {GOOD: b"1", "train/NORMAL/test/a.png": b"1"})
    assert only(tmp_path, b"train/NORMAL/test/a.png").problem.startswith("inside folders of two")


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("train/NORMAL/.DS_Store", "system file"),
        ("train/NORMAL/Thumbs.db", "system file"),
        ("train/NORMAL/DESKTOP.INI", "system file"),
        ("train/NORMAL/._a.jpeg", "system file"),
        ("train/NORMAL/a.jpeg:Zone.Identifier", "system file"),
        ("train/NORMAL/a.jpeg.zone.identifier", "system file"),
        ("train/NORMAL/@eaDir/a.jpeg/SYNOPHOTO_THUMB_M.jpg", "system file"),
        ("__MACOSX/train/NORMAL/a.jpeg", "system file"),
        ("train/NORMAL/.ipynb_checkpoints/a-checkpoint.jpeg", "system file"),
        ("train/NORMAL/.Trash-1000/files/a.jpeg", "in a trash folder"),
        ("$RECYCLE.BIN/x/a.jpeg", "in a trash folder"),
        ("train/NORMAL/thumbs/a.jpeg", "thumbnail"),
        ("train/NORMAL/a_thumb.jpeg", "thumbnail"),
        ("train/NORMAL/masks/a.png", "mask or annotation"),
        ("train/NORMAL/Lung Mask/a.png", "mask or annotation"),
        ("train/NORMAL/leftMask/deep/a.png", "mask or annotation"),
        ("train/NORMAL/segmentations/a.png", "mask or annotation"),
        ("train/masks/NORMAL/a.png", "mask or annotation"),
        ("train/NORMAL/Masks_PNG/a.png", "mask or annotation"),
        ("train/NORMAL/a_mask.png", "mask or annotation"),
        ("train/NORMAL/a (mask).png", "mask or annotation"),
        ("train/NORMAL/a_left_lungmask.png", "mask or annotation"),
        ("train/NORMAL/a.txt", "text or document"),
        ("train/NORMAL/a.jpeg.JSON", "text or document"),
        ("train/NORMAL/.gitkeep", "text or document"),
        ("readme.md", "text or document"),
        ("train/list.csv", "text or document"),
    ],
)
def test_what_is_not_an_image_of_the_dataset_is_skipped_with_the_reason(tmp_path, path, why):
    fill(tmp_path, {GOOD: b"1", path: b"2"})
    assert only(tmp_path, path.encode()).skipped == why
    assert only(tmp_path, GOOD.encode()).skipped is None


@pytest.mark.parametrize(
    "name", ["unmasked/a.png", "damask.png", "segment 3.png", "thumbelina/a.png", "labels/a.png"]
)
def test_names_that_only_remind_of_masks_are_taken(tmp_path, name):
    assert [file.skipped for file in scan(fill(tmp_path, {f"NORMAL/{name}": b"1"}))] == [None]


@pytest.mark.parametrize("name", ["a.txt", ".hidden.png", "list.csv"])
def test_an_image_is_one_whatever_its_name(tmp_path, name):
    (file,) = scan(fill(tmp_path, {f"NORMAL/{name}": b"\x89PNG\r\n\x1a\n..."}))
    assert (file.skipped, file.problem) == (None, None)


@pytest.mark.parametrize("path", ["x.png", "train/COVID/a.png", "x/NORMAL/a", "train/x.png"])
def test_files_outside_the_class_folders_are_a_problem(tmp_path, path):
    fill(tmp_path, {GOOD: b"1", path: b"2"})
    file = only(tmp_path, path.encode())
    assert file.label == ""
    assert file.problem.startswith("outside the class folders: expected train|val|test/")


@pytest.mark.parametrize("outer", ["", "archive/", "a/b/"])
def test_the_archive_is_read_as_it_unpacks(tmp_path, outer):
    files = {
        f"{outer}{folder}{split}/NORMAL/a.png": b"1" * size
        for folder in ("", "chest_xray/")
        for size, split in enumerate(("train", "val", "test"), 1)
    }
    files |= {f"{outer}__MACOSX/train/NORMAL/._a.png": b"1", f"{outer}chest_xray/.DS_Store": b"1"}
    found = scan(fill(tmp_path, files))
    taken = {file.filename: file.folder for file in found if not file.skipped}
    assert taken == {f"{outer}{split}/NORMAL/a.png": split for split in ("train", "val", "test")}
    assert sum(file.skipped == "second copy" for file in found) == 3


def test_only_what_is_the_same_is_a_second_copy(tmp_path):
    files = {"NORMAL/a.png": b"1", "copy/NORMAL/a.png": b"22", "copy/NORMAL/b.png": b"1"}
    found = {file.filename: file for file in scan(fill(tmp_path, files))}
    for path in ("copy/NORMAL/a.png", "copy/NORMAL/b.png"):
        assert found[path].problem.startswith("outside the class folders")


def test_masks_beside_the_images_folder_are_not_a_second_dataset(tmp_path):
    fill(tmp_path, {"images/NORMAL/a.png": b"1", "masks/NORMAL/a.png": b"1"})
    found = {file.filename: (file.label, file.skipped) for file in scan(tmp_path)}
    assert found == {
        "images/NORMAL/a.png": ("NORMAL", None),
        "masks/NORMAL/a.png": ("", "mask or annotation"),
    }


def test_several_datasets_are_refused_by_name(tmp_path):
    fill(tmp_path, {"rome/NORMAL/a.png": b"1", "oslo/train/NORMAL/a.png": b"1"})
    with pytest.raises(
        UserError, match="2 folders with class folders, and none itself: oslo, rome"
    ):
        scan(tmp_path)


def test_an_empty_folder_named_like_an_image_means_a_lost_file(tmp_path):
    fill(tmp_path, {GOOD: b"1"})
    (tmp_path / "train/NORMAL/x.jpeg").mkdir()
    (tmp_path / "train/NORMAL/empty").mkdir()
    assert [(file.filename, file.problem) for file in scan(tmp_path)] == [
        (GOOD, None),
        ("train/NORMAL/x.jpeg", "empty folder that is named like an image"),
    ]


def test_a_folder_named_like_an_image_is_walked(tmp_path):
    fill(tmp_path, {"NORMAL/x.jpeg/a.png": b"1"})
    assert [file.filename for file in scan(tmp_path)] == ["NORMAL/x.jpeg/a.png"]


def test_links_are_followed_and_those_that_lead_nowhere_are_named(tmp_path):
    fill(tmp_path / "images", {GOOD: b"1"})
    fill(tmp_path / "elsewhere", {"far.png": b"22"})
    folder = tmp_path / "images/train/NORMAL"
    (folder / "dangling.png").symlink_to(tmp_path / "missing.png")
    (folder / "link.png").symlink_to(tmp_path / "elsewhere/far.png")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "loop").symlink_to(tmp_path / "images")
    found = {file.below_class: (file.size, file.problem) for file in scan(tmp_path / "images")}
    assert found == {
        "dangling.png": (0, "link that leads nowhere"),
        "good.png": (1, None),
        "link.png": (2, None),
        "linked/far.png": (2, None),
        "loop": (0, "link to a folder that it lies in"),
    }


def test_a_pipe_is_never_opened(tmp_path):
    fill(tmp_path, {GOOD: b"1"})
    os.mkfifo(tmp_path / "train/NORMAL/pipe.png")
    pipe = only(tmp_path, b"train/NORMAL/pipe.png")
    assert not pipe.readable
    assert pipe.problem == "no regular file: a pipe, socket or device"


@pytest.fixture
def close(monkeypatch):
    """Makes folders that cannot be opened, for root too."""

    def closing(*names):
        scandir = os.scandir

        def refused(path):
            if os.path.basename(path) in names:
                raise PermissionError(13, "Permission denied", path)
            return scandir(path)

        monkeypatch.setattr(os, "scandir", refused)

    return closing


@pytest.mark.parametrize("name", [b"train", b"NORMAL", b"ward"])
def test_a_folder_of_a_class_that_cannot_be_opened_stops(tmp_path, close, name):
    fill(tmp_path, {GOOD: b"1", "train/NORMAL/ward/a.png": b"1", "train/PNEUMONIA/a.png": b"1"})
    close(name)
    with pytest.raises(UserError, match=rf"/{name.decode()} cannot be opened: permission denied"):
        scan(tmp_path)


@pytest.mark.parametrize(("name", "skipped"), [(b"other", None), (b"lost+found", "system file")])
def test_another_folder_that_cannot_be_opened_is_named(tmp_path, close, name, skipped):
    fill(tmp_path, {GOOD: b"1", f"{name.decode()}/a.png": b"1"})
    close(name)
    file = only(tmp_path, name)
    assert file.skipped == skipped
    assert file.problem == "folder that cannot be opened: permission denied"


@AS_ROOT
def test_a_folder_that_can_be_listed_and_not_entered_stops(tmp_path):
    fill(tmp_path, {GOOD: b"1", "train/PNEUMONIA/a.png": b"1"})
    (tmp_path / "train").chmod(0o444)
    try:
        with pytest.raises(UserError, match="/train cannot be opened"):
            scan(tmp_path)
    finally:
        (tmp_path / "train").chmod(0o700)


def test_a_class_folder_that_is_a_link_to_nowhere_stops(tmp_path):
    fill(tmp_path, {GOOD: b"1"})
    (tmp_path / "train/PNEUMONIA").symlink_to(tmp_path / "not mounted")
    with pytest.raises(
        UserError, match="train/PNEUMONIA cannot be opened: it is a link that leads"
    ):
        scan(tmp_path)


def test_a_link_to_itself_is_one_bad_file(tmp_path):
    fill(tmp_path, {GOOD: b"1"})
    (tmp_path / "train/NORMAL/loop.png").symlink_to("loop.png")
    problem = only(tmp_path, b"train/NORMAL/loop.png").problem
    assert problem == "cannot be opened: too many levels of symbolic links"


def test_characters_that_act_on_a_terminal_are_escaped(tmp_path):
    fill(tmp_path, {"NORMAL/\x1b[2Ja\nb\u202e.png": b"1"})
    (file,) = scan(tmp_path)
    assert file.filename == r"NORMAL/\x1b[2Ja\x0ab\u202e.png"


def test_a_name_that_is_not_utf8_is_kept_and_shown(tmp_path):
    fill(tmp_path, {GOOD: b"1"})
    path = b"train/NORMAL/caf\xe9.png"
    with open(os.path.join(os.fsencode(tmp_path), path), "wb") as file:
        file.write(b"22")
    assert only(tmp_path, path).filename == "train/NORMAL/caf\\xe9.png"
    assert only(tmp_path, path).size == 2


names = st.binary(min_size=1, max_size=60).filter(
    lambda name: not {0, ord("/")} & set(name) and name not in (b".", b"..")
)


@settings(max_examples=100)
@given(names=st.sets(names, min_size=1, max_size=8))
def test_every_name_is_listed_once_and_sorted(tmp_path_factory, names):
    images = fill(tmp_path_factory.mktemp("images"), {"NORMAL/0": b""})
    for name in names:
        with open(os.path.join(os.fsencode(images), b"NORMAL", name), "wb"):
            pass
    (images / "NORMAL/0").write_bytes(b"")
    listed = [os.path.basename(file.path) for file in scan(images) if file.label]
    assert listed == sorted({*names, b"0"})


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(UserError, match=r"No image folder at .*nowhere. Expected a folder with"):
        scan(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "Found: nothing"),
        (
            {"COVID/a.png": b"1", "list.csv": b"2"},
            "Found: COVID, list.csv. If a table has",
        ),
        (
            {"train/0/a.png": b"1", "train/1/a.png": b"1"},
            "Below train: 0, 1. Folders that may be classes: 0, 1. R",
        ),
        ({"data/images/0/a.png": b"1", "data/images/1/b.png": b"1"}, "Found in data/images: 0, 1."),
        ({"data.zip": b"1"}, "Give an archive by itself"),
        ({"train/NORMAL/.DS_Store": b"1"}, "holds no images in class folders"),
        ({f"{letter}.png": b"1" for letter in "abcdefghij"}, "h.png, ..."),
    ],
)
def test_a_folder_without_classes_is_refused_with_what_it_holds(tmp_path, files, said):
    with pytest.raises(UserError, match=said):
        scan(fill(tmp_path, files))


def test_a_class_folder_itself_is_refused_with_the_one_above(tmp_path):
    fill(tmp_path, {"data/NORMAL/a.png": b"1"})
    with pytest.raises(UserError, match=r"Did you mean the folder above, .*/data\?"):
        scan(tmp_path / "data/NORMAL")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.zip", "is a file. Unpack the archive"),
        ("a.csv", "is a file. Give the folder of the images, and the table"),
        ("a.png", "is a file. Give the folder"),
    ],
)
def test_a_file_is_not_an_image_folder(tmp_path, name, message):
    with pytest.raises(UserError, match=message):
        scan(fill(tmp_path, {name: b"1"}) / name)


@pytest.mark.parametrize(
    ("name", "message"),
    [("x" * 300, "cannot be opened: file name too long"), ("a\0b", "that no path can have")],
)
def test_a_path_that_the_system_refuses_is_not_an_image_folder(tmp_path, name, message):
    with pytest.raises(UserError, match=message):
        scan(tmp_path / name)


def test_an_address_is_not_an_image_folder():
    with pytest.raises(UserError, match="must be a local path; received hdfs://bucket/images"):
        scan(Path("hdfs://bucket/images"))


@pytest.mark.parametrize(
    ("files", "proposed"),
    [
        (("0/a", "1/b"), """--classes '{NORMAL: ["0"], PNEUMONIA: ["1"]}'"""),
        (("images/a", "x"), None),
    ],
)
def test_names_of_classes_are_proposed_where_several_folders_may_be_some(tmp_path, files, proposed):
    with pytest.raises(UserError) as refusal:
        scan(fill(tmp_path, dict.fromkeys(files, b"1")))
    assert ("--classes" in str(refusal.value)) == bool(proposed)
    assert (proposed or "") in str(refusal.value)


def test_folders_beside_those_of_the_classes_are_named_with_what_to_write(tmp_path):
    files = scan(fill(tmp_path, {"NORMAL/a": b"1", "COVID19/b": b"1", "x": b"1"}))
    assert unnamed(files, DatasetSettings()) == (
        " Folders that may be classes: COVID19. Rename them to NORMAL and PNEUMONIA, or write "
        "under which of these each is: --classes '{NORMAL: [], PNEUMONIA: [COVID19]}' (in a "
        "configuration, dataset.classes)."
    )
    settings = DatasetSettings(classes={"PNEUMONIA": ["COVID19"]})
    assert unnamed(scan(tmp_path, settings), settings) == ""


def test_images_of_a_class_that_is_left_out_are_skipped(tmp_path):
    fill(tmp_path, {"NORMAL/a": b"1", "mass/b": b"1"})
    settings = DatasetSettings(classes={"LEFT_OUT": ["Mass"]})
    files = {file.filename: file for file in scan(tmp_path, settings)}
    assert files["mass/b"].skipped == "class that is left out"
    assert files["NORMAL/a"].skipped is None


def test_the_subtype_is_that_of_the_folder(tmp_path):
    fill(tmp_path, {"NORMAL/a": b"1", "PNEUMONIA/viral/b": b"1", "bacteria/c": b"1"})
    assert [file.subtype for file in scan(tmp_path)] == ["", "virus", "bacteria"]
