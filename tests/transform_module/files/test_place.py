import os
from pathlib import Path

import pytest

from tests.object_store import new_place
from transform_module.files.place import inside, move, names_below, read_range, written
from transform_module.files.store_path import StorePath


@pytest.fixture(params=["here", "in a store"])
def folder(request, tmp_path):
    return tmp_path / "folder" if request.param == "here" else StorePath(f"{new_place()}/folder")


def test_files_are_written_whole_listed_read_and_moved(folder, tmp_path):
    (tmp_path / "folder").mkdir()
    with written(folder / "a") as attempt:
        attempt.write_bytes(b"0123456789")
        assert not (folder / "a").exists()
    with written(folder / "b") as attempt:
        attempt.write_bytes(b"")
    assert names_below(folder) == ["a", "b"]
    assert read_range(folder / "a", 3, 4) == b"3456"
    move(folder / "a", folder / "b")
    assert names_below(folder) == ["b"]
    assert (folder / "b").read_bytes() == b"0123456789"


def test_what_fails_is_not_there(folder, tmp_path):
    (tmp_path / "folder").mkdir()

    def failing():
        with written(folder / "a") as attempt:
            attempt.write_bytes(b"1")
            raise ValueError("within")

    with pytest.raises(ValueError, match="within"):
        failing()
    assert not (folder / "a").exists()


def test_a_local_name_may_be_any_bytes():
    assert os.fsencode(inside(Path("/a"), b"b/\xe9")) == b"/a/b/\xe9"
    assert inside(StorePath("s3://a"), "b/é".encode()) == StorePath("s3://a/b/é")
