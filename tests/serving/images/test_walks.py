from dataclasses import replace

import pytest

from serving.images.layout import scan
from serving.images.walks import walk
from tests.components.convert.folders import fill
from tests.object_store import new_place
from tests.s3_store import BUCKET
from transform_module.errors import NothingValid, UserError
from transform_module.files.store_path import StorePath

PNG = b"\x89PNG\r\n\x1a\n"
FILES = {
    "archive/train/NORMAL/a.png": b"12345",
    "archive/train/NORMAL/ward 3/bed/röntgen.png": b"1",
    "archive/train/NORMAL/ward 3/a.txt": PNG,
    "archive/train/NORMAL/.hidden": b"text",
    "archive/train/NORMAL/.DS_Store": b"1",
    "archive/train/NORMAL-old/a.png": b"1",
    "archive/train/PNEUMONIA/thumbs/deep/a.png": b"1",
    "archive/train/PNEUMONIA/masks/a.png": b"1",
    "archive/train/PNEUMONIA/b.png": b"12",
    "archive/archive/train/PNEUMONIA/b.png": b"12",
    "archive/archive/train/PNEUMONIA/c.png": b"123",
    "archive/__MACOSX/train/NORMAL/a.png": b"1",
    "archive/notes.md": b"text",
    "readme": b"1",
}


@pytest.fixture(params=["ram", "s3"])
def folder(request, store):
    place = new_place()
    return StorePath(
        place if request.param == "ram" else place.replace("ram://", f"s3://{BUCKET}/")
    )


def sent(folder, files):
    for name, content in files.items():
        with (folder / name).open("wb") as file:
            file.write(content)
    return folder


def test_a_folder_in_a_store_holds_what_a_local_one_holds(folder, tmp_path):
    images, stored = fill(tmp_path, FILES), sent(folder, FILES)
    local = [replace(file, mtime_ns=0) for file in scan(images)]
    assert [replace(file, mtime_ns=0) for file in scan(stored)] == local
    # TensorFlow's file system in memory has no times.
    assert all(file.mtime_ns for file in scan(stored)) or str(folder).startswith("ram")


def test_the_same_folders_are_seen(folder, tmp_path):
    seen = []
    for root in (fill(tmp_path, FILES), sent(folder, FILES)):
        found = walk(root)
        list(found.entries())
        seen.append(sorted(found.seen))
        assert found.size(b"readme") == 1
        assert found.size(b"none") is None
    assert seen[0] == seen[1]


def test_nothing_that_is_recognised_is_an_error(folder):
    with pytest.raises(NothingValid, match=r"holds no images in class folders.*Found: nothing"):
        scan(folder)
    with pytest.raises(NothingValid, match=r"Found: a\.png, b"):
        scan(sent(folder, {"a.png": b"1", "b/c.png": b"1"}))
    with pytest.raises(UserError, match="must be a local path; received hdfs://a/b"):
        scan("hdfs://a/b")
