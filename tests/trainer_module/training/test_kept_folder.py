import logging
import uuid

import pytest

from tests.s3_store import BUCKET
from trainer_module.training import kept_folder
from trainer_module.training.kept_folder import KeptFolder
from trainer_module.training_error import TrainingError
from transform_module.files import remote


@pytest.fixture
def place(store):
    return f"s3://{BUCKET}/{uuid.uuid4().hex}/checkpoints"


def write(folder, **files):
    for name, text in files.items():
        path = folder.path / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def content(folder):
    return {
        str(path.relative_to(folder.path)): path.read_text()
        for path in folder.path.rglob("*")
        if path.is_file()
    }


def test_what_one_machine_stores_another_fetches(tmp_path, place):
    one = kept_folder.of(place, str(tmp_path / "one")) / "training"
    one.fetch()
    write(one, state__checkpoint="1", state__data="weights", history="a")
    one.store()
    other = kept_folder.of(place, str(tmp_path / "other")) / "training"
    other.fetch()
    assert content(other) == content(one)


def test_a_later_store_sends_what_changed_and_removes_what_is_gone(tmp_path, place, store):
    folder = KeptFolder(tmp_path / "one", place)
    write(folder, state__checkpoint="1", data_1="weights", history="a")
    folder.store()
    (folder.path / "data_1").unlink()
    write(folder, state__checkpoint="2", data_2="weights of 2")
    store.seen.clear()
    folder.store()
    assert remote.files(place) == ["data_2", "history", "state/checkpoint"]
    sent = [each for each in store.seen if each.startswith("PUT") and each.endswith(("1", "2"))]
    assert not any("history" in each for each in store.seen if each.startswith("PUT")), sent


def test_a_store_that_fails_halfway_keeps_the_former_state_whole(
    tmp_path, place, monkeypatch, caplog
):
    folder = KeptFolder(tmp_path / "one", place)
    write(folder, state__checkpoint="1", state__data_1="weights")
    folder.store()
    (folder.path / "state/data_1").unlink()
    write(folder, state__checkpoint="2", state__data_2="weights of 2")

    copy = remote.copy

    def breaks(source, target, names):
        if names == ["state/checkpoint"]:
            raise OSError(104, "Connection reset by peer")
        copy(source, target, names)

    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
        patched.setattr(remote, "copy", breaks)
        folder.store()
    assert "cannot be kept in s3://" in caplog.text
    other = KeptFolder(tmp_path / "other", place)
    other.fetch()
    assert content(other)["state/checkpoint"] == "1"
    assert content(other)["state/data_1"] == "weights"
    folder.store()
    assert remote.files(place) == ["state/checkpoint", "state/data_2"]


def test_a_state_that_cannot_be_read_stops_the_training(tmp_path, place, store):
    store.spoil = lambda *_: (403, b"", False)
    with pytest.raises(TrainingError, match=r"s3://.* cannot be read \(.*Repeat the run"):
        KeptFolder(tmp_path / "one", place).fetch()


def test_it_is_removed_here_and_there(tmp_path, place):
    both = kept_folder.of(place, str(tmp_path))
    for name in ("one", "other"):
        write(both / name, a="1")
        (both / name).store()
    (both / "one").remove()
    assert remote.files(place) == ["other/a"]
    assert not (tmp_path / "one").exists()


def test_a_local_one_is_kept_by_itself(tmp_path):
    folder = kept_folder.of(str(tmp_path / "kept"), str(tmp_path / "temporary")) / "training"
    folder.fetch()
    write(folder, a="1")
    folder.store()
    assert folder.path == tmp_path / "kept" / "training"
    folder.remove()
    assert not folder.path.exists()
