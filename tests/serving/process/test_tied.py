import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from serving.process.tied import end, tied_process

# It becomes another program first, as one that tunes its allocator does.
SLEEPER = """
import os, pathlib, sys, time
if not os.environ.get("TUNED"):
    os.environ["TUNED"] = "1"
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
pathlib.Path(sys.argv[1]).write_text(' '.join(sys.argv))
time.sleep(1000)
"""

# A parent that starts the child in a thread that ends, as a pool's does, and then is killed.
PARENT = """
import os, pathlib, signal, sys, threading, time
from serving.process.tied import tied_process
started = tied_process("sleeper", [sys.argv[1]])
thread = threading.Thread(target=started.__enter__)
thread.start()
thread.join()
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.01)
os.kill(os.getpid(), int(sys.argv[2]))
time.sleep(1000)
"""
DEADLINE_SECONDS = 600


@pytest.fixture
def sleeper(tmp_path, monkeypatch):
    """A module that writes a file and then sleeps."""
    (tmp_path / "sleeper.py").write_text(SLEEPER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path / "ready"


def wait_until(condition):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def sleepers(ready):
    found = []
    for process in psutil.process_iter():
        try:
            if str(ready) in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_it_runs_a_module_as_python_does_and_ends_with_the_block(sleeper):
    with tied_process("sleeper", [str(sleeper), "more"]) as process:
        wait_until(sleeper.exists)
        assert sleeper.read_text().endswith(f"sleeper.py {sleeper} more")
        assert process.poll() is None
    assert process.returncode is not None
    assert not sleepers(sleeper)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_its_parent(sleeper, number):
    parent = subprocess.run(
        [sys.executable, "-c", PARENT, sleeper, str(int(number))], check=False, timeout=600
    )
    assert parent.returncode == -number
    wait_until(lambda: not sleepers(sleeper))


def test_its_exit_code_is_the_modules(tmp_path, monkeypatch):
    (tmp_path / "ends.py").write_text("raise SystemExit(7)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with tied_process("ends", []) as process:
        assert process.wait(DEADLINE_SECONDS) == 7


def test_one_that_does_not_end_is_killed(monkeypatch):
    monkeypatch.setattr("serving.process.tied._GRACE_SECONDS", 0.1)
    script = "import signal, time; signal.signal(15, signal.SIG_IGN); print('', flush=True)\n"
    process = subprocess.Popen(
        [sys.executable, "-c", f"{script}time.sleep(1000)"], stdout=subprocess.PIPE
    )
    assert process.stdout
    process.stdout.readline()
    end(process)
    process.stdout.close()
    assert process.returncode == -signal.SIGKILL


def test_no_descriptor_is_left_open(sleeper):
    before = len(os.listdir("/dev/fd"))
    with tied_process("sleeper", [str(sleeper)]):
        pass
    assert len(os.listdir("/dev/fd")) == before
