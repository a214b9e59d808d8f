import errno
import os

import pytest

from transform_module.files.sync import make_folder, sync, sync_tree, write_text


@pytest.fixture
def synced(monkeypatch):
    """The paths that were synced, in their order."""
    paths = []
    fsync = os.fsync

    def noted(descriptor):
        paths.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    return paths


def test_a_tree_is_synced_with_all_in_it(tmp_path, synced):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").touch()
    sync_tree(tmp_path / "a")
    assert set(synced) == {str(tmp_path / each) for each in ("a", "a/b", "a/b/c")}


def test_the_folders_that_are_made_are_entries_of_synced_ones(tmp_path, synced):
    make_folder(tmp_path / "a" / "b")
    assert set(synced) == {str(tmp_path), str(tmp_path / "a")}
    make_folder(tmp_path / "a" / "b")
    assert len(synced) == 2


def test_a_file_is_written_through_before_it_has_its_name(tmp_path, synced):
    write_text(tmp_path / "a", "text")
    assert synced == [str(tmp_path / ".a.partial"), str(tmp_path)]
    assert (tmp_path / "a").read_text() == "text"


def failing(number):
    def fail(descriptor):
        raise OSError(number, os.strerror(number))

    return fail


def test_a_file_that_cannot_be_written_leaves_the_former_one(tmp_path, monkeypatch):
    write_text(tmp_path / "a", "former")
    monkeypatch.setattr(os, "fsync", failing(errno.ENOSPC))
    with pytest.raises(OSError, match="No space left"):
        write_text(tmp_path / "a", "new")
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("a", "former")]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_that_cannot_sync_is_not_a_failure(tmp_path, monkeypatch, number):
    monkeypatch.setattr(os, "fsync", failing(number))
    sync(tmp_path)


def test_a_disk_that_fails_is_one(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))
    with pytest.raises(OSError, match="Input/output error"):
        sync(tmp_path)
