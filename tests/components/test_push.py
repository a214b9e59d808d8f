import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from components import pushed
from components.errors import UserError
from components.push import push, rollback

RECORD = {"recipe": "r1", "baseline_version": "", "model_uri": "uri", "configuration": {"a": 1}}


@pytest.fixture
def model(tmp_path):
    return write_model(tmp_path / "model", b"graph")


def write_model(folder, graph):
    for name, content in (
        ("saved_model.pb", graph),
        ("variables/variables.index", b"index"),
        ("assets.extra/model.json", b"{}"),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def assert_whole(version):
    assert pushed.verify(version.path) == []


def test_a_push_is_whole_and_its_manifest_tells_what_it_is(tmp_path, model):
    before = int(time.time())
    version = push(model, tmp_path / "push" / "cxr", RECORD)
    assert version == pushed.latest(tmp_path / "push", "cxr")
    assert_whole(version)
    assert before <= version.version <= int(time.time())
    assert set(version.manifest["files"]) == {
        "saved_model.pb",
        "variables/variables.index",
        "assets.extra/model.json",
    }
    assert version.manifest.items() >= RECORD.items()
    assert version.manifest["version"] == version.version
    assert version.manifest["created"].endswith("+00:00")
    assert "tensorflow" in version.manifest["versions"]


def test_the_same_model_is_not_pushed_twice(tmp_path, model):
    first = push(model, tmp_path / "cxr", RECORD)
    assert push(model, tmp_path / "cxr", RECORD | {"recipe": "r2"}) == first
    assert len(pushed.versions(tmp_path, "cxr")) == 1


def test_a_damaged_version_is_pushed_anew(tmp_path, model):
    first = push(model, tmp_path / "cxr", RECORD)
    (first.path / "saved_model.pb").write_bytes(b"damage")
    second = push(model, tmp_path / "cxr", RECORD)
    assert second.version > first.version
    assert_whole(second)


def test_versions_increase_even_when_the_clock_does_not(tmp_path, model):
    taken = int(time.time()) + 1000
    (tmp_path / "cxr" / str(taken)).mkdir(parents=True)
    assert push(model, tmp_path / "cxr", RECORD).version == taken + 1
    (model / "saved_model.pb").write_bytes(b"another")
    assert push(model, tmp_path / "cxr", RECORD).version == taken + 2


def test_leftovers_of_killed_pushes_go(tmp_path, model):
    leftover = tmp_path / "cxr" / ".tmp-17"
    leftover.mkdir(parents=True)
    (leftover / "saved_model.pb").write_bytes(b"half")
    push(model, tmp_path / "cxr", RECORD)
    assert not leftover.exists()


def test_a_failed_copy_publishes_nothing(tmp_path, model, monkeypatch):
    def full(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("components.push._sync_tree", full)
    with pytest.raises(OSError, match="No space"):
        push(model, tmp_path / "cxr", RECORD)
    assert pushed.versions(tmp_path, "cxr") == []


def test_a_server_that_watches_never_sees_half_a_version(tmp_path, model):
    seen, problems, done = set(), [], threading.Event()

    def watch():
        while not done.is_set():
            for version in pushed.versions(tmp_path, "cxr"):
                seen.add(version.version)
                problems.extend(pushed.verify(version.path))

    watcher = threading.Thread(target=watch)
    watcher.start()
    for number in range(20):
        (model / "saved_model.pb").write_bytes(bytes([number]) * 500_000)
        push(model, tmp_path / "cxr", RECORD)
    done.set()
    watcher.join()
    assert len(seen) >= 5
    assert problems == []
    assert len(pushed.versions(tmp_path, "cxr")) == 20


@pytest.mark.parametrize("delay", [0.0, 0.005, 0.02, 0.05])
def test_a_push_killed_at_any_moment_leaves_only_whole_versions(tmp_path, model, delay):
    (model / "variables" / "data").write_bytes(os.urandom(20_000_000))
    script = (
        "import sys; from pathlib import Path; from components.push import push\n"
        "print('ready', flush=True)\n"
        "push(Path(sys.argv[1]), Path(sys.argv[2]), {})"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(model), str(tmp_path / "cxr")],
        cwd=Path(__file__).resolve().parents[2],
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"ready\n"
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    for version in pushed.versions(tmp_path, "cxr"):
        assert_whole(version)
    assert_whole(push(model, tmp_path / "cxr", RECORD))
    assert len(pushed.versions(tmp_path, "cxr")) == 1


def test_pushes_at_the_same_time_take_turns(tmp_path):
    models = [write_model(tmp_path / f"model{n}", bytes([n]) * 100_000) for n in range(4)]
    threads = [
        threading.Thread(target=push, args=(model, tmp_path / "cxr", RECORD)) for model in models
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = pushed.versions(tmp_path, "cxr")
    assert len(found) == 4
    for version in found:
        assert_whole(version)


@pytest.fixture
def versions(tmp_path):
    """Three versions of three models, the oldest first."""
    return [
        push(write_model(tmp_path / f"model{index}", b"%d" % index), tmp_path / "cxr", RECORD)
        for index in range(3)
    ]


def content_of(version):
    return (version.path / "saved_model.pb").read_bytes()


def test_a_rollback_publishes_the_former_version_anew(versions):
    restored = rollback(versions[-1].path.parent)
    assert restored == pushed.latest(restored.path.parents[1], "cxr")
    assert restored.version > versions[-1].version
    assert content_of(restored) == b"1"
    assert restored.manifest["restores"] == versions[1].version
    assert restored.manifest.items() >= RECORD.items()
    assert_whole(restored)


def test_a_second_rollback_goes_back_one_more(versions):
    folder = versions[-1].path.parent
    rollback(folder)
    assert content_of(rollback(folder)) == b"0"
    with pytest.raises(UserError, match=f"no version before {versions[0].version}"):
        rollback(folder)


def test_a_rollback_can_name_its_version(versions):
    folder = versions[-1].path.parent
    assert content_of(rollback(folder, versions[0].version)) == b"0"
    assert content_of(rollback(folder, versions[2].version)) == b"2"


def test_a_rollback_that_cannot_be_is_told(versions, tmp_path):
    folder = versions[-1].path.parent
    with pytest.raises(UserError, match=r"there is no version 5\. There are "):
        rollback(folder, 5)
    with pytest.raises(UserError, match="is what is served already"):
        rollback(folder, versions[2].version)
    (versions[1].path / "saved_model.pb").write_bytes(b"damage")
    with pytest.raises(UserError, match="is not whole; go back to another: --to"):
        rollback(folder)
    with pytest.raises(UserError, match="there is no pushed version to go back to"):
        rollback(tmp_path / "nothing")
    assert len(pushed.versions(tmp_path, "cxr")) == 3
