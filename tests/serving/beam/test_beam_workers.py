"""Beam's worker processes, and what becomes of them when a command is stopped."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from components.synthetic.generate import generate
from serving.beam.beam_workers import tie_workers
from serving.process import interrupts
from tests.pipeline.command import REPOSITORY, command

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.timeout(1800)]

WORKER = "apache_beam.runners.worker.sdk_worker_main"
DEADLINE_SECONDS = 300


def wait_until(condition):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def is_alive(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def workers(of):
    found = []
    for process in psutil.Process(of).children(recursive=True):
        try:
            if WORKER in process.cmdline():
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def conversion(tmp_path):
    generate(tmp_path / "images", images=60)
    given = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")
    return subprocess.Popen(
        command(
            *("convert", tmp_path / "images", tmp_path / "out"),
            *(f"--beam-arg={each}" for each in given),
        ),
        cwd=REPOSITORY,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_they_end_with_a_conversion_that_is_stopped(tmp_path, conversion, number):
    process = conversion
    found = wait_until(lambda: workers(process.pid))
    process.send_signal(number)
    _, said = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == (-number if number == signal.SIGKILL else 128 + number)
    wait_until(lambda: not any(map(is_alive, found)))
    if number != signal.SIGKILL:
        assert said.splitlines()[-1] == "Interrupted. Repeat the command to resume."
        assert [path.name for path in tmp_path.iterdir()] == ["images"]


@pytest.mark.parametrize("seconds", [0, 1.5, 4])
def test_one_that_dies_ends_the_conversion_which_says_so(tmp_path, conversion, seconds):
    wait_until(lambda: workers(conversion.pid))
    time.sleep(seconds)
    for worker in workers(conversion.pid)[:1]:
        worker.kill()
    _, said = conversion.communicate(timeout=DEADLINE_SECONDS)
    assert conversion.returncode == 1
    assert "A worker process of Beam died: " in said.splitlines()[-1]
    assert "Traceback" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["images"]


def test_one_that_starts_after_the_signal_ends_too():
    with interrupts.listening():
        tie_workers()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        for _ in range(2):
            late = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(999)", WORKER])
            assert late.wait(DEADLINE_SECONDS) == -signal.SIGKILL
