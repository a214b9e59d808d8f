import hashlib
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.versions import pushed
from transform_module.errors import UserError


def write_version(folder, version, files=None, manifest=True):
    files = {"saved_model.pb": b"graph", "variables/data": b"weights"} if files is None else files
    path = folder / "cxr" / str(version)
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    if manifest:
        sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        message = {"version": version, "files": sums}
        (path / pushed.MANIFEST).write_text(json.dumps(message))
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


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "{}", '{"files": []}', None, "[" * 100_000),
        *('{"files": {"../other": "0"}}', '{"files": {"/etc/passwd": "0"}}'),
    ],
)
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
    (path / "assets").mkdir()
    (path / "assets" / "added").write_bytes(b"5")
    missing, differs, unexpected = pushed.verify(path)
    assert "lost: the file is missing" in missing
    assert "changed: SHA-256 is " in differs
    assert "assets/added: the file is not in the manifest" in unexpected


@pytest.mark.parametrize("name", ["saved_model.cpb", "variables/variables.index", "assets.extra/x"])
def test_what_a_loader_may_read_is_a_file_too_many(tmp_path, name):
    path = write_version(tmp_path, 1)
    (path / name).parent.mkdir(exist_ok=True)
    (path / name).write_bytes(b"other")
    (problem,) = pushed.verify(path)
    assert f"{name}: the file is not in the manifest" in problem
    assert pushed.newest(tmp_path, "cxr").version is None


@pytest.mark.parametrize("name", [".DS_Store", "note.txt", "variables/.DS_Store", "old/data"])
def test_what_nothing_reads_changes_no_version(tmp_path, name):
    path = write_version(tmp_path, 1)
    (path / name).parent.mkdir(exist_ok=True)
    (path / name).write_bytes(b"other")
    assert pushed.verify(path) == []
    assert pushed.newest(tmp_path, "cxr").version.version == 1


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


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("1", 1),
        (str(pushed.MAXIMUM_VERSION), pushed.MAXIMUM_VERSION),
        *(
            (name, None)
            for name in ("0", "007", "-1", "+1", "1 ", "1\n", "1.0", "v1", "", "\u0667")
        ),
        *((str(2**63), None), ("99999999999999999999", None), ("9" * 5000, None)),
    ],
)
def test_a_version_is_a_positive_int64(name, number):
    assert pushed.version_number(name) == number


def test_other_numbers_are_not_versions(tmp_path):
    write_version(tmp_path, 7)
    for name in ("0", "007", "99999999999999999999"):
        write_version(tmp_path, name)
    assert [found.version for found in pushed.versions(tmp_path, "cxr")] == [7]


@pytest.mark.parametrize("damage", ["changed", "manifest", "empty"])
def test_a_broken_newest_version_hides_no_older_one(tmp_path, damage):
    write_version(tmp_path, 1)
    newer = write_version(tmp_path, 2)
    if damage == "changed":
        (newer / "variables/data").write_bytes(b"damage")
    else:
        (newer / pushed.MANIFEST).unlink()
        if damage == "empty":
            shutil.rmtree(newer)
            newer.mkdir()
    found = pushed.newest(tmp_path, "cxr")
    assert found.version.version == 1
    (problem,) = found.broken
    assert str(newer) in problem
    assert pushed.chosen(found, "cxr") == found.version


def test_where_nothing_is_pushed_nothing_is_chosen(tmp_path):
    assert pushed.chosen(pushed.newest(tmp_path, "cxr"), "cxr") is None


def test_where_nothing_is_whole_nobody_is_let_through(tmp_path):
    (write_version(tmp_path, 2) / "saved_model.pb").unlink()
    with pytest.raises(UserError, match=r"saved_model\.pb: .*No version in cxr is whole"):
        pushed.chosen(pushed.newest(tmp_path, "cxr"), "cxr")


def test_a_folder_that_cannot_be_listed_is_not_empty(tmp_path):
    (tmp_path / "cxr").write_text("a file")
    with pytest.raises(NotADirectoryError):
        pushed.versions(tmp_path, "cxr")


@pytest.mark.parametrize("name", ["cxr/2", "cxr/2/saved_model.pb"])
def test_what_cannot_be_looked_at_is_not_taken_for_missing(tmp_path, monkeypatch, name):
    write_version(tmp_path, 1)
    write_version(tmp_path, 2)
    look = Path.stat

    def failing(self, **options):
        if self == tmp_path / name:
            raise PermissionError(13, "Permission denied")
        return look(self, **options)

    monkeypatch.setattr(Path, "stat", failing)
    with pytest.raises(PermissionError):
        pushed.newest(tmp_path, "cxr")


@pytest.mark.parametrize("name", [pushed.MANIFEST, "saved_model.pb"])
def test_what_cannot_be_read_is_not_taken_for_damage(tmp_path, monkeypatch, name):
    write_version(tmp_path, 1)
    write_version(tmp_path, 2)
    opened = Path.open

    def failing(self, *arguments, **options):
        if self.name == name and self.parent.name == "2":
            raise OSError(5, "Input/output error")
        return opened(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", failing)
    with pytest.raises(OSError, match="Input/output error"):
        pushed.newest(tmp_path, "cxr")


def test_a_renamed_version_is_refused(tmp_path):
    write_version(tmp_path, 17).rename(tmp_path / "cxr" / "18")
    (problem,) = pushed.verify(tmp_path / "cxr" / "18")
    assert "it was pushed as cxr/17, and is now cxr/18" in problem


def test_an_old_version_under_a_higher_number_is_refused(tmp_path):
    old = write_version(tmp_path, 17)
    shutil.copytree(old, tmp_path / "cxr" / "99")
    assert pushed.newest(tmp_path, "cxr").version.version == 17


def test_a_link_to_an_old_version_under_a_higher_number_is_refused(tmp_path):
    write_version(tmp_path, 17)
    newest = write_version(tmp_path, 18)
    (tmp_path / "cxr" / "19").symlink_to("17")
    found = pushed.newest(tmp_path, "cxr")
    assert found.version.path == newest
    assert "it was pushed as cxr/17, and is now cxr/19" in found.broken[0]


@pytest.mark.parametrize(("folder", "link"), [("cxr", "served"), ("disk", "cxr")])
def test_the_folder_of_the_versions_may_be_a_link(tmp_path, folder, link):
    path = write_version(tmp_path, 17)
    manifest = json.loads((path / pushed.MANIFEST).read_text())
    (path / pushed.MANIFEST).write_text(json.dumps({**manifest, "name": "cxr"}))
    path.parent.rename(tmp_path / folder)
    (tmp_path / link).symlink_to(folder)
    assert pushed.verify(tmp_path / link / "17") == []


def test_a_version_of_another_model_is_refused(tmp_path):
    path = write_version(tmp_path, 17)
    manifest = json.loads((path / pushed.MANIFEST).read_text())
    (path / pushed.MANIFEST).write_text(json.dumps({**manifest, "name": "cxr"}))
    assert pushed.verify(path) == []
    (tmp_path / "cxr").rename(tmp_path / "other")
    (problem,) = pushed.verify(tmp_path / "other" / "17")
    assert "it was pushed as cxr/17, and is now other/17" in problem


def test_a_copy_elsewhere_is_compared_by_its_files(tmp_path):
    path = write_version(tmp_path, 17)
    shutil.copytree(path, tmp_path / "kept" / "best")
    assert pushed.verify(tmp_path / "kept" / "best") == []


def test_a_linked_folder_is_a_file_too_many(tmp_path):
    path = write_version(tmp_path, 1)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "code").write_text("anything")
    (path / "assets").symlink_to(tmp_path / "elsewhere")
    (problem,) = pushed.verify(path)
    assert "assets: the file is not in the manifest" in problem
