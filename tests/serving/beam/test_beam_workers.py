"""Beam's worker processes, and what becomes of them when a command is stopped."""

import signal
import subprocess
import time

import psutil
import pytest

from components.synthetic.generate import generate
from tests.pipeline.command import REPOSITORY, command

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.timeout(1800)]

WORKER = "apache_beam.runners.worker.sdk_worker_main"
DEADLINE_SECONDS = 600


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


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_they_end_with_a_conversion_that_is_stopped(tmp_path, number):
    generate(tmp_path / "images", images=60)
    given = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")
    process = subprocess.Popen(
        command(
            *("convert", tmp_path / "images", tmp_path / "out"),
            *(f"--beam-arg={each}" for each in given),
        ),
        cwd=REPOSITORY,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    found = wait_until(lambda: workers(process.pid))
    process.send_signal(number)
    _, said = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == (-number if number == signal.SIGKILL else 128 + number)
    wait_until(lambda: not any(map(is_alive, found)))
    if number != signal.SIGKILL:
        assert said.splitlines()[-1] == "Interrupted. Repeat the command to resume."
        assert [path.name for path in tmp_path.iterdir()] == ["images"]
