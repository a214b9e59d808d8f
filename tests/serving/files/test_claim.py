import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import tensorflow as tf

from serving.files import claim as claims
from serving.files.claim import Claim, claimed
from serving.versions import push_remote, pushed
from serving.versions.push_remote import push_remotely
from serving.versions.push_rules import Compared, PushRefused
from tests.object_store import new_place
from transform_module.errors import UserError
from transform_module.files import remote


@pytest.fixture
def folder():
    return f"{new_place()}/cxr"


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Who has to wait does so for milliseconds."""
    monkeypatch.setattr(claims, "_FIRST_WAIT_SECONDS", 0.005)


def objects(folder):
    return [name for name in tf.io.gfile.listdir(folder) if name.startswith(".claim-")]


def saved(folder, weights):
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "data").write_bytes(weights)
    return folder


def test_a_claim_is_gone_when_the_block_has_ended(folder):
    with claimed(folder) as claim:
        assert objects(folder) == [claim.path.rpartition("/")[2]]
        claim.require()
    assert objects(folder) == []
    with pytest.raises(ValueError, match="within"), claimed(folder):
        raise ValueError("within")
    assert objects(folder) == []


def test_the_holder_of_a_folder_is_named(folder):
    with claimed(folder) as claim:
        with (
            pytest.raises(UserError, match=re.escape(claim.path)) as refused,
            claimed(folder),
        ):
            pytest.fail("two at once")
        claim.require()
    assert re.search(r"by .+ since 20\d\d-", str(refused.value))
    with claimed(folder):
        pass


def test_of_many_at_the_same_time_one_holds_the_folder(folder, monkeypatch):
    monkeypatch.setattr(claims, "_ATTEMPTS", 12)
    inside, most, lock = 0, 0, threading.Lock()
    start = threading.Barrier(4)

    def hold(_):
        nonlocal inside, most
        start.wait()
        with claimed(folder):
            with lock:
                inside += 1
                most = max(most, inside)
            threading.Event().wait(0.01)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(hold, range(4)))
    assert most == 1
    assert objects(folder) == []


def test_what_a_killed_push_left_is_removed_after_an_hour(folder, monkeypatch):
    left = Claim(folder)
    left.write()
    modified, hours = remote.modified, {left.path: 1.1}
    monkeypatch.setattr(
        remote,
        "modified",
        lambda path: None if modified(path) is None else int((2.1 - hours.get(path, 0)) * 3600e9),
    )
    with claimed(folder), pytest.raises(UserError, match="took so long"):
        left.require()
    left.write()
    hours[left.path] = 0.9
    with pytest.raises(UserError, match="remove that object"), claimed(folder):
        pass


def test_two_machines_that_push_at_once_mix_no_version(folder, tmp_path, monkeypatch):
    models = [saved(tmp_path / name, name.encode()) for name in ("one", "two")]
    both = threading.Barrier(2)
    newest = push_remote.newest

    def at_once(*arguments):
        found = newest(*arguments)
        # Both have looked before either of them writes, unless they take turns.
        try:
            both.wait(1)
        except threading.BrokenBarrierError:
            both.reset()
        return found

    monkeypatch.setattr(push_remote, "newest", at_once)
    monkeypatch.setattr(claims, "_FIRST_WAIT_SECONDS", 0.2)

    def push(model):
        try:
            return push_remotely(model, folder, {}, Compared(pushed.sums(model)))
        except PushRefused as refused:
            return str(refused)

    with ThreadPoolExecutor(2) as threads:
        outcomes = list(threads.map(push, models))
    (refused,) = [each for each in outcomes if isinstance(each, str)]
    ((version, _),) = [each for each in outcomes if not isinstance(each, str)]
    assert f"holds version {version} now" in refused
    assert push_remote.versions(folder) == [version]
    near = push_remote.fetch(folder, str(version), tmp_path)
    assert pushed.verify(near) == []


def test_a_push_whose_claim_was_removed_publishes_nothing(folder, tmp_path, monkeypatch):
    model = saved(tmp_path / "model", b"weights")
    copy = tf.io.gfile.copy

    def slow(source, target, overwrite=False):
        for name in objects(folder):
            tf.io.gfile.remove(f"{folder}/{name}")
        copy(source, target, overwrite)

    monkeypatch.setattr(tf.io.gfile, "copy", slow)
    with pytest.raises(UserError, match="Nothing was published"):
        push_remotely(model, folder, {}, Compared(pushed.sums(model)))
    found = push_remote.newest(folder, tmp_path)
    assert found.version is None
