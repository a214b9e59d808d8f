import hashlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transform_module.files.sums import SUMS, differences, digest, from_json, record, sums, to_json

FILES = st.dictionaries(st.text(min_size=1, max_size=5), st.text("0123456789abcdef"), max_size=4)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "model" / "variables").mkdir(parents=True)
    (tmp_path / "model" / "graph").write_bytes(b"graph")
    (tmp_path / "model" / "variables" / "data").write_bytes(b"data")
    return tmp_path / "model"


def test_each_file_has_its_sha256(folder):
    expected = {"graph": b"graph", "variables/data": b"data"}
    assert sums(folder) == {
        name: hashlib.sha256(content).hexdigest() for name, content in expected.items()
    }


@pytest.mark.parametrize("kind", ["folder", "nowhere", "pipe"])
def test_what_is_not_a_regular_file_equals_none(folder, tmp_path, kind):
    if kind == "pipe":
        os.mkfifo(folder / "odd")
    else:
        (folder / "odd").symlink_to(tmp_path if kind == "folder" else "nowhere")
    assert sums(folder)["odd"] == "none, since it is not a regular file"


def test_a_folder_that_is_not_there_has_no_sums(folder):
    with pytest.raises(FileNotFoundError):
        sums(folder / "nowhere")


def test_what_is_recorded_lies_beside_and_is_read_back(folder):
    record(folder)
    assert from_json((folder.parent / SUMS).read_bytes()) == sums(folder)


@given(FILES)
def test_sums_are_written_and_read(files):
    assert from_json(to_json(files)) == files


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": []}', '{"files": {"a": 1}}'])
def test_what_holds_no_sums_is_reported(text):
    with pytest.raises(ValueError, match=r"."):
        from_json(text)


@given(FILES, FILES)
def test_the_digests_are_equal_where_the_files_are(one, other):
    assert (digest(one) == digest(other)) == (one == other)
    assert digest(dict(reversed(one.items()))) == digest(one)


@given(FILES, FILES)
def test_there_is_a_difference_for_each_file_that_differs(expected, found):
    names = {name for name in {*expected, *found} if expected.get(name) != found.get(name)}
    assert len(differences(expected, found)) == len(names)


def test_a_difference_names_file_and_kind():
    message = differences({"a": "1", "b": "2"}, {"b": "3", "c": "4"}, "the manifest")
    assert message == [
        "a: the file is missing",
        "b: SHA-256 is 3, the manifest says 2",
        "c: the file is not in the manifest",
    ]
