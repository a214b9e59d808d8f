import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from serving.versions import pushed
from serving.versions.push import push, rollback
from serving.versions.push_rules import Compared, PushRefused
from serving.versions.rolled_back import ROLLED_BACK, read
from transform_module.errors import UserError
from transform_module.files.sums import digest

RECORD = {
    "recipe": "r1",
    "baseline_version": "",
    "model_uri": "uri",
    "configuration": {"a": 1},
    "versions": {"tensorflow": "2.0"},
}


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


def test_a_push_is_whole_and_its_manifest_shows_what_it_is(tmp_path, model):
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
    assert version.manifest["name"] == "cxr"
    assert version.manifest["versions"] == {"tensorflow": "2.0"}


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


@pytest.mark.parametrize("damage", ["empty", "changed"])
def test_above_a_broken_version_the_same_model_is_pushed_anew(tmp_path, model, damage):
    """Servers look at the highest version first, and TensorFlow Serving at no other."""
    first = push(model, tmp_path / "cxr", RECORD)
    broken = tmp_path / "cxr" / str(first.version + 7)
    broken.mkdir()
    if damage == "changed":
        (broken / "saved_model.pb").write_bytes(b"damage")
    version = push(model, tmp_path / "cxr", RECORD, examined(model, "17"))
    assert version.version > first.version + 7
    assert push(model, tmp_path / "cxr", RECORD, examined(model, "17")) == version


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

    monkeypatch.setattr("serving.versions.push.sync_tree", full)
    with pytest.raises(OSError, match="No space"):
        push(model, tmp_path / "cxr", RECORD)
    assert pushed.versions(tmp_path, "cxr") == []
    assert not list((tmp_path / "cxr").glob(".tmp-*"))


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
        "import sys; from pathlib import Path; from serving.versions.push import push\n"
        "print('ready', flush=True)\n"
        "push(Path(sys.argv[1]), Path(sys.argv[2]), {})"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(model), str(tmp_path / "cxr")],
        cwd=Path(__file__).resolve().parents[3],
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


def test_what_others_put_beside_the_files_is_not_pushed_again(versions):
    (versions[1].path / "note.txt").write_text("hello")
    restored = rollback(versions[-1].path.parent)
    assert not (restored.path / "note.txt").exists()
    assert_whole(restored)


def test_a_rollback_can_name_its_version(versions):
    folder = versions[-1].path.parent
    assert content_of(rollback(folder, versions[0].version)) == b"0"
    assert content_of(rollback(folder, versions[2].version)) == b"2"


def test_a_rollback_that_cannot_be_is_reported(versions, tmp_path):
    folder = versions[-1].path.parent
    with pytest.raises(UserError, match=r"there is no version 5\. There are "):
        rollback(folder, 5)
    with pytest.raises(UserError, match="is what is served already"):
        rollback(folder, versions[2].version)
    (versions[1].path / "saved_model.pb").write_bytes(b"damage")
    first = versions[0].version
    with pytest.raises(UserError, match=f"is not whole; go back to another: --to {first}$"):
        rollback(folder)
    with pytest.raises(UserError, match="there is no pushed version to go back to"):
        rollback(tmp_path / "nothing")
    assert len(pushed.versions(tmp_path, "cxr")) == 3


def examined(model, version="", **choices):
    return Compared(pushed.sums(model), version, **choices)


@pytest.mark.parametrize("damage", ["changed", "cut", "lost", "added"])
def test_only_what_was_examined_is_pushed(tmp_path, model, damage):
    compared, file = examined(model), model / "variables/variables.index"
    if damage == "lost":
        file.unlink()
    elif damage == "added":
        file = model / "more"
        file.touch()
    else:
        file.write_bytes(b"INDEX" if damage == "changed" else b"ind")
    with pytest.raises(UserError, match=f"{file}: .*This is not the model that was examined"):
        push(model, tmp_path / "cxr", RECORD, compared)
    assert pushed.versions(tmp_path, "cxr") == []


def test_what_changes_while_it_is_copied_is_not_pushed(tmp_path, model, monkeypatch):
    copyfile = shutil.copyfile

    def damaging(source, target):
        copyfile(source, target)
        with open(target, "ab") as file:
            file.write(b"more")

    monkeypatch.setattr(shutil, "copyfile", damaging)
    with pytest.raises(UserError, match="not the model that was examined"):
        push(model, tmp_path / "cxr", RECORD, examined(model))
    assert pushed.versions(tmp_path, "cxr") == []
    assert not list((tmp_path / "cxr").glob(".tmp-*"))


def test_what_was_compared_with_another_version_is_not_pushed(tmp_path, model):
    folder = tmp_path / "cxr"
    first = push(write_model(tmp_path / "first", b"first"), folder, RECORD)
    for version in ("", str(first.version - 1)):
        with pytest.raises(PushRefused, match=f"holds version {first.version} now; run again"):
            push(model, folder, RECORD, examined(model, version))
    assert push(model, folder, RECORD, examined(model, str(first.version))).version > first.version


def test_what_is_served_already_is_not_compared(tmp_path, model):
    first = push(model, tmp_path / "cxr", RECORD, examined(model))
    assert push(model, tmp_path / "cxr", RECORD, examined(model)) == first


def test_files_are_on_the_disk_before_they_count(tmp_path, model, monkeypatch):
    """Each file and folder is synced under its unfinished name, and the folders above it after."""
    synced = []
    fsync = os.fsync

    def noted(descriptor):
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    folder = tmp_path / "push" / "cxr"
    version = push(model, folder, RECORD)
    unfinished = str(folder / f".tmp-{version.version}")
    for name in (*version.manifest["files"], pushed.MANIFEST, "variables", "assets.extra"):
        assert f"{unfinished}/{name}" in synced
    assert synced.index(unfinished) < synced.index(str(folder), synced.index(unfinished))
    assert {str(folder.parent), str(tmp_path)} <= set(synced)


def test_the_highest_version_is_reported_rather_than_passed(tmp_path, model):
    taken = tmp_path / "cxr" / str(pushed.MAXIMUM_VERSION)
    taken.mkdir(parents=True)
    with pytest.raises(UserError, match=r"is the highest version .*\. Remove that folder"):
        push(model, tmp_path / "cxr", RECORD)


def test_what_is_not_a_version_does_not_raise_the_next_one(tmp_path, model):
    (tmp_path / "cxr" / "99999999999999999999").mkdir(parents=True)
    assert push(model, tmp_path / "cxr", RECORD).version <= time.time()


class TestRolledBack:
    """What a rollback leaves is not pushed again unasked."""

    def test_by_the_same_run(self, versions, tmp_path):
        folder = versions[-1].path.parent
        restored = rollback(folder)
        again = tmp_path / "model2"
        with pytest.raises(PushRefused, match=f"rolled back as version {versions[-1].version} in"):
            push(again, folder, RECORD, examined(again, str(restored.version)))
        assert pushed.latest(tmp_path, "cxr") == restored

    def test_nor_where_the_restored_version_is_broken_since(self, versions, tmp_path):
        folder = versions[-1].path.parent
        (rollback(folder).path / "saved_model.pb").unlink()
        again = tmp_path / "model2"
        with pytest.raises(PushRefused, match="was rolled back"):
            push(again, folder, RECORD, examined(again, "1"))

    def test_nor_is_it_the_newest_where_the_restored_version_is_broken(self, versions, tmp_path):
        folder = versions[-1].path.parent
        (rollback(folder).path / "saved_model.pb").write_bytes(b"damage")
        assert pushed.newest(tmp_path, "cxr").version == versions[1]
        for each in versions[:2]:
            (each.path / "saved_model.pb").write_bytes(b"damage")
        assert pushed.newest(tmp_path, "cxr").version == versions[2]

    def test_but_all_the_same_when_that_is_set_and_then_as_ever(self, versions, tmp_path):
        folder = versions[-1].path.parent
        restored = rollback(folder)
        again = tmp_path / "model2"
        version = push(again, folder, RECORD, examined(again, str(restored.version), again=True))
        assert content_of(version) == b"2"
        assert push(again, folder, RECORD, examined(again, str(restored.version))) == version
        assert read(folder) == []

    def test_nor_is_what_the_same_recipe_made_anew(self, versions, tmp_path):
        folder = versions[-1].path.parent
        restored = rollback(folder)
        anew = write_model(tmp_path / "anew", b"2, trained once more")
        compared = Compared(pushed.sums(anew), str(restored.version), RECORD["recipe"])
        with pytest.raises(PushRefused, match="or one made of the same data, settings and code"):
            push(anew, folder, RECORD, compared)

    def test_and_another_model_is(self, versions, tmp_path):
        folder = versions[-1].path.parent
        restored = rollback(folder)
        other = write_model(tmp_path / "other", b"other")
        version = push(other, folder, RECORD, examined(other, str(restored.version)))
        assert content_of(version) == b"other"

    def test_nor_is_one_that_was_left_before(self, versions, tmp_path):
        folder = versions[-1].path.parent
        rollback(folder)
        restored = rollback(folder)
        for name in ("model1", "model2"):
            with pytest.raises(PushRefused):
                push(
                    tmp_path / name,
                    folder,
                    RECORD,
                    examined(tmp_path / name, str(restored.version)),
                )

    def test_going_forward_again_forgets_it(self, versions, tmp_path):
        folder = versions[-1].path.parent
        rollback(folder)
        rollback(folder, versions[-1].version)
        (left,) = read(folder)
        assert left.digest == digest(pushed.sums(tmp_path / "model1"))

    def test_even_if_the_rollback_was_cut_short(self, versions, tmp_path, monkeypatch):
        folder = versions[-1].path.parent
        monkeypatch.setattr("serving.versions.push.sync_tree", lambda root: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            rollback(folder)
        monkeypatch.undo()
        assert content_of(pushed.latest(tmp_path, "cxr")) == b"2"
        rollback(folder)
        again = tmp_path / "model2"
        with pytest.raises(PushRefused):
            push(again, folder, RECORD, examined(again, "1"))

    @pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"versions": [{"version": 1}]}'])
    def test_a_damaged_list_lets_nothing_through(self, versions, tmp_path, text):
        folder = versions[-1].path.parent
        (folder / ROLLED_BACK).write_text(text)
        other = write_model(tmp_path / "other", b"other")
        with pytest.raises(UserError, match="nobody knows which versions were rolled back"):
            push(other, folder, RECORD, examined(other, str(versions[-1].version)))


class TestRollbackFromABrokenVersion:
    @pytest.mark.parametrize("lost", [pushed.MANIFEST, "saved_model.pb"])
    def test_it_goes_back_to_the_one_before(self, versions, tmp_path, lost):
        (versions[-1].path / lost).unlink()
        assert content_of(rollback(versions[-1].path.parent)) == b"1"

    @pytest.mark.parametrize("lost", [pushed.MANIFEST, "saved_model.pb"])
    def test_what_it_held_is_not_pushed_again(self, versions, tmp_path, lost):
        (versions[-1].path / lost).unlink()
        restored = rollback(versions[-1].path.parent)
        again = tmp_path / "model2"
        with pytest.raises(PushRefused):
            push(again, tmp_path / "cxr", RECORD, examined(again, str(restored.version)))

    def test_two_broken_ones_are_passed_over(self, versions):
        for version in versions[1:]:
            (version.path / "saved_model.pb").write_bytes(b"damage")
        assert content_of(rollback(versions[-1].path.parent)) == b"0"

    def test_a_former_version_without_a_manifest_is_not_passed_over(self, versions):
        (versions[1].path / pushed.MANIFEST).unlink()
        with pytest.raises(UserError, match="the manifest is missing"):
            rollback(versions[-1].path.parent)

    def test_where_none_is_whole_that_is_reported(self, versions):
        for version in versions:
            (version.path / "saved_model.pb").unlink()
        with pytest.raises(UserError, match="is whole, so that there is none to go back to"):
            rollback(versions[-1].path.parent)

    def test_the_versions_that_trained_it_stay_in_the_manifest(self, versions):
        assert rollback(versions[-1].path.parent).manifest["versions"] == {"tensorflow": "2.0"}
