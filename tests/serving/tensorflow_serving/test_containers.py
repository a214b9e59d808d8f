import os
import signal
import subprocess
import threading
import time

import pytest

from serving.process import interrupts
from serving.tensorflow_serving.containers import find_engine, up


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A folder that is the whole PATH; returns how to put a program into it."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def put(name, script):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return put


def test_without_any_there_is_none(programs):
    assert find_engine() is None


def test_a_client_without_its_daemon_is_none(programs):
    programs("docker", "exit 1")
    assert find_engine() is None


def test_an_engine_without_compose_is_none(programs):
    programs("docker", 'test "$1" = info')
    assert find_engine() is None


def test_podman_replaces_docker(programs):
    programs("docker", "exit 1")
    programs("podman", "exit 0")
    assert find_engine() == "podman"


def test_the_compose_file_is_run_and_its_exit_code_kept(programs, tmp_path):
    programs("docker", f'echo "$@" > {tmp_path}/said; exit 7')
    assert up("docker", tmp_path / "compose.yaml") == 7
    said = (tmp_path / "said").read_text().split()
    assert said == ["compose", "-f", os.fspath(tmp_path / "compose.yaml"), "up"]


class SlowToStart(subprocess.Popen):
    """A program that runs before its starter knows: a signal comes in between."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        while interrupts.received() is None:
            time.sleep(0.01)


@pytest.mark.parametrize("started", [subprocess.Popen, SlowToStart])
def test_an_interrupt_waits_until_the_containers_have_stopped(
    programs, tmp_path, monkeypatch, started
):
    monkeypatch.setattr(subprocess, "Popen", started)
    programs(
        "docker",
        f"trap '/bin/sleep 0.1; echo stopped > {tmp_path}/said; exit 0' TERM\n"
        f"echo running > {tmp_path}/said; while :; do /bin/sleep 0.05; done",
    )

    def interrupt():
        while not (tmp_path / "said").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    with interrupts.listening():
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            up("docker", tmp_path / "compose.yaml")
    assert (tmp_path / "said").read_text() == "stopped\n"
