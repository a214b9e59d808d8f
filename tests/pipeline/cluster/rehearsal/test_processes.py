"""Tasks as processes, which never outlive the rehearsal."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from pipeline.cluster.rehearsal.processes import Exact, Forks
from pipeline.cluster.rehearsal.task_container import Container
from tests.pipeline.command import REPOSITORY

SLEEPER = """
import os, pathlib, sys, time
ready = pathlib.Path(sys.argv[1])
ready.with_suffix(".new").write_text(str(os.getpid()))
ready.with_suffix(".new").rename(ready)
time.sleep(1000)
"""

PARENT = """
import os, signal, sys
from pathlib import Path
from tests.pipeline.cluster.rehearsal.test_processes import started, wait_until
folder = Path(sys.argv[1])
started(folder, sys.argv[2])
wait_until((folder / "ready").exists)
os.kill(os.getpid(), signal.SIGKILL)
"""
DEADLINE_SECONDS = 600


def wait_until(condition):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def started(folder, kind):
    """Starts a task that sleeps; how it ended is put into the list that comes with it."""
    container = Container(folder / "container", REPOSITORY)
    (container.folder / "sleeper.py").write_text(SLEEPER)
    forks = folder / "forks.log"
    processes = Exact(container) if kind == "exact" else Forks(container, ["json"], forks)
    codes = []
    task = (["python", "-m", "sleeper", str(folder / "ready")], {}, folder / "log")
    thread = threading.Thread(target=lambda: codes.append(processes.run(*task)))
    thread.start()
    return processes, thread, codes, task


def is_gone(process):
    try:
        return psutil.Process(process).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("kind", ["exact", "forks"])
def test_what_is_stopped_is_gone_and_no_other_is_started(tmp_path, kind):
    processes, thread, codes, task = started(tmp_path, kind)
    wait_until((tmp_path / "ready").exists)
    processes.stop()
    thread.join(DEADLINE_SECONDS)
    assert codes[0] < 0
    wait_until(lambda: is_gone(int((tmp_path / "ready").read_text())))
    if kind == "exact":
        assert processes.run(*task) < 0
    else:
        processes.__exit__(None, None, None)


@pytest.mark.parametrize("kind", ["exact", "forks"])
def test_tasks_end_with_a_rehearsal_that_is_killed(tmp_path, kind):
    parent = subprocess.run(
        [sys.executable, "-c", PARENT, tmp_path, kind], cwd=REPOSITORY, check=False, timeout=600
    )
    assert parent.returncode == -signal.SIGKILL
    wait_until(lambda: is_gone(int(Path(tmp_path, "ready").read_text())))
    assert os.path.exists(tmp_path / "log")
