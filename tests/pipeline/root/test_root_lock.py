import fcntl
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from pipeline.root import root_lock as module
from pipeline.root.root_lock import holder_pid, root_lock
from transform_module.errors import UserError

HOLD = """
import sys; from pathlib import Path; from pipeline.root.root_lock import root_lock
with root_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


PATIENCE = module._PATIENCE_SECONDS


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0.1)


@contextmanager
def other_run(root):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        yield process


def assert_free(root):
    with root_lock(root):
        assert holder_pid(root) == os.getpid()


def test_a_second_run_is_refused_with_who_holds_the_root(tmp_path):
    with other_run(tmp_path) as process, pytest.raises(UserError) as caught, root_lock(tmp_path):
        pytest.fail("two runs hold the root")
    message = (
        rf"Another run holds {re.escape(str(tmp_path))}: process {process.pid}, since 2\d{{3}}-"
    )
    assert re.match(message, str(caught.value))
    assert "--root" in str(caught.value)


def test_a_refused_run_does_not_wipe_the_holders_name(tmp_path):
    with other_run(tmp_path) as process:
        for _ in range(2):
            with pytest.raises(UserError, match=f"process {process.pid},"), root_lock(tmp_path):
                pass
        assert holder_pid(tmp_path) == process.pid


def test_a_root_is_free_when_its_run_ends(tmp_path):
    with other_run(tmp_path) as process:
        process.communicate()
    assert_free(tmp_path)


def test_a_root_is_free_when_its_run_is_killed(tmp_path):
    with other_run(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert holder_pid(tmp_path) is None
    assert_free(tmp_path)


def test_a_root_is_free_when_its_run_fails(tmp_path):
    with pytest.raises(ValueError, match="broken"), root_lock(tmp_path):
        raise ValueError("broken")
    assert_free(tmp_path)


def test_two_roots_are_held_at_once(tmp_path):
    with other_run(tmp_path / "one"):
        assert_free(tmp_path / "two")


def test_a_root_that_is_not_there_is_made_and_held_by_nobody(tmp_path):
    assert holder_pid(tmp_path / "new") is None
    assert not (tmp_path / "new").exists()
    assert_free(tmp_path / "new")


def test_a_holder_that_has_not_written_its_name_yet_is_one_all_the_same(tmp_path):
    with other_run(tmp_path):
        (tmp_path / ".lock").write_text("")
        assert holder_pid(tmp_path) is None
        with pytest.raises(UserError, match="a process that has just started"), root_lock(tmp_path):
            pass


def test_a_run_waits_for_whoever_only_looks_at_the_root(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", PATIENCE)
    with (tmp_path / ".lock").open("a+") as looked_at:
        fcntl.flock(looked_at, fcntl.LOCK_SH)
        threading.Timer(0.3, fcntl.flock, (looked_at, fcntl.LOCK_UN)).start()
        with root_lock(tmp_path):
            assert holder_pid(tmp_path) == os.getpid()


def test_a_second_run_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", PATIENCE)
    with (
        other_run(tmp_path),
        pytest.raises(UserError, match="Another run holds"),
        root_lock(tmp_path),
    ):
        pass
