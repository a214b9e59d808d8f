import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.errors import UserError
from components.images.layout import scan
from tests.components.images.folders import fill

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


@pytest.mark.parametrize("name", [".DS_Store", "Thumbs.db", "DESKTOP.INI", "._a.jpeg"])
def test_system_files_are_skipped(tmp_path, name):
    fill(tmp_path, {GOOD: b"1", f"train/NORMAL/{name}": b"2"})
    assert only(tmp_path, f"train/NORMAL/{name}".encode()).skipped


@pytest.mark.parametrize(
    "path", ["readme.txt", "train/list.csv", "train/COVID/a.png", "x/NORMAL/a"]
)
def test_files_outside_the_class_folders_are_no_loss(tmp_path, path):
    fill(tmp_path, {GOOD: b"1", path: b"2"})
    file = only(tmp_path, path.encode())
    assert file.label == ""
    assert file.problem.startswith("outside the class folders: expected train|val|test/")


def test_an_empty_folder_named_like_a_picture_stands_for_a_lost_file(tmp_path):
    fill(tmp_path, {GOOD: b"1"})
    (tmp_path / "train/NORMAL/x.jpeg").mkdir()
    (tmp_path / "train/NORMAL/empty").mkdir()
    assert [(file.filename, file.problem) for file in scan(tmp_path)] == [
        (GOOD, None),
        ("train/NORMAL/x.jpeg", "empty folder that is named like a picture"),
    ]


def test_a_folder_named_like_a_picture_is_walked(tmp_path):
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


@AS_ROOT
def test_a_folder_without_permission_is_named(tmp_path):
    fill(tmp_path, {GOOD: b"1", "train/NORMAL/closed/a.png": b"1"})
    (tmp_path / "train/NORMAL/closed").chmod(0)
    assert only(tmp_path, b"train/NORMAL/closed").problem.startswith("folder that cannot be opened")
    (tmp_path / "train/NORMAL/closed").chmod(0o700)


def test_a_name_that_is_no_utf8_is_kept_and_shown(tmp_path):
    fill(tmp_path, {GOOD: b"1"})
    path = b"train/NORMAL/caf\xe9.png"
    with open(os.path.join(os.fsencode(tmp_path), path), "wb") as file:
        file.write(b"22")
    assert only(tmp_path, path).filename == "train/NORMAL/caf\\xe9.png"
    assert only(tmp_path, path).size == 2


names = st.binary(min_size=1, max_size=60).filter(
    lambda name: not {0, ord("/")} & set(name) and name not in (b".", b"..")
)


@settings(max_examples=100, deadline=None)
@given(names=st.sets(names, min_size=1, max_size=8))
def test_every_name_is_listed_once_and_sorted(tmp_path_factory, names):
    images = fill(tmp_path_factory.mktemp("images"), {"NORMAL/0": b""})
    (images / "NORMAL/0").unlink()
    for name in names:
        with open(os.path.join(os.fsencode(images), b"NORMAL", name), "wb"):
            pass
    listed = [os.path.basename(file.path) for file in scan(images) if file.label]
    assert listed == sorted(names)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(UserError, match=r"No image folder at .*nowhere. Expected a folder with"):
        scan(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "Found: nothing"),
        ({"COVID/a.png": b"1", "list.csv": b"2"}, "Found: COVID, list.csv"),
        ({"train/NORMAL/.DS_Store": b"1"}, "holds no pictures in class folders"),
        ({f"{letter}.png": b"1" for letter in "abcdefghij"}, "h.png, ..."),
    ],
)
def test_a_folder_without_classes_is_refused_with_what_it_holds(tmp_path, files, said):
    with pytest.raises(UserError, match=said):
        scan(fill(tmp_path, files))


@pytest.mark.parametrize("inside", ["train/NORMAL/a.png", "normal/a.png"])
def test_the_folder_that_was_meant_is_proposed(tmp_path, inside):
    with pytest.raises(UserError, match=r"Did you mean .*/chest_xray\?"):
        scan(fill(tmp_path, {f"chest_xray/{inside}": b"1"}))
