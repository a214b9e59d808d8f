import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import pushed


def write_version(folder, version, files=None, manifest=True):
    files = {"saved_model.pb": b"graph", "variables/data": b"weights"} if files is None else files
    path = folder / "cxr" / str(version)
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    if manifest:
        sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        (path / pushed.MANIFEST).write_text(json.dumps({"version": version, "files": sums}))
    return path


def test_an_absent_push_folder_has_no_versions(tmp_path):
    assert pushed.versions(tmp_path / "no", "cxr") == []
    assert pushed.latest(tmp_path / "no", "cxr") is None


def test_versions_go_up_by_number_and_only_numbers_are_versions(tmp_path):
    for version in (100, 99, 9):
        write_version(tmp_path, version)
    write_version(tmp_path, ".tmp-101")
    write_version(tmp_path, "latest")
    (tmp_path / "cxr" / "200").write_text("a file")
    assert [found.version for found in pushed.versions(tmp_path, "cxr")] == [9, 99, 100]
    assert pushed.latest(tmp_path, "cxr").path == tmp_path / "cxr" / "100"
    assert pushed.latest(tmp_path, "cxr").manifest["version"] == 100


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"files": []}', None])
def test_a_version_without_a_readable_manifest_has_none(tmp_path, text):
    path = write_version(tmp_path, 1, manifest=False)
    if text is not None:
        (path / pushed.MANIFEST).write_text(text)
    assert pushed.latest(tmp_path, "cxr").manifest is None
    assert "manifest" in pushed.verify(path)[0]


def test_a_whole_version_has_no_problems(tmp_path):
    assert pushed.verify(write_version(tmp_path, 1)) == []


def test_each_problem_names_its_file(tmp_path):
    path = write_version(tmp_path, 1, {"kept": b"1", "lost": b"2", "changed": b"3"})
    (path / "lost").unlink()
    (path / "changed").write_bytes(b"4")
    (path / "added").write_bytes(b"5")
    missing, differs, unexpected = pushed.verify(path)
    assert "lost: the file is missing" in missing
    assert "changed: SHA-256 is " in differs
    assert "added: the file is not in the manifest" in unexpected


def test_a_deleted_version_is_a_problem(tmp_path):
    assert "missing" in pushed.verify(tmp_path / "1")[0]


@given(content=st.binary(min_size=1, max_size=40), data=st.data())
def test_any_changed_byte_is_found(tmp_path_factory, content, data):
    path = write_version(tmp_path_factory.mktemp("push"), 1, {"file": content})
    position = data.draw(st.integers(0, len(content) - 1))
    changed = bytearray(content)
    changed[position] ^= data.draw(st.integers(1, 255))
    (path / "file").write_bytes(changed)
    assert len(pushed.verify(path)) == 1
