import os
import signal
import subprocess
import sys

import psutil

from serving.process.tied_program import tied_program
from tests.serving.process.test_tied import wait_until

# A program that starts another one, and both write down who they are.
TWO = "sleep 1000 & echo $! > {0}/child; echo $$ > {0}/program; sleep 1000; true"

PARENT = """
import os, pathlib, signal, sys, time
from serving.process.tied_program import tied_program
with tied_program(["sh", "-c", sys.argv[1]]):
    while not pathlib.Path(sys.argv[2], "program").exists():
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def is_alive(file):
    try:
        return psutil.Process(int(file.read_text())).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def both_end(folder):
    wait_until(lambda: not is_alive(folder / "program") and not is_alive(folder / "child"))


def test_the_program_and_its_children_end_with_the_block(tmp_path):
    with tied_program(["sh", "-c", TWO.format(tmp_path)]):
        wait_until((tmp_path / "program").exists)
        assert is_alive(tmp_path / "child")
    both_end(tmp_path)


def test_they_end_with_a_parent_that_is_killed(tmp_path):
    command = [sys.executable, "-c", PARENT, TWO.format(tmp_path), str(tmp_path)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    both_end(tmp_path)


def test_children_end_with_the_program(tmp_path):
    with tied_program(["sh", "-c", TWO.format(tmp_path)]) as beside:
        wait_until((tmp_path / "program").exists)
        psutil.Process(int((tmp_path / "program").read_text())).kill()
        beside.wait()
        both_end(tmp_path)


def test_a_program_that_is_not_there_ends_what_waits_beside_it(tmp_path):
    with tied_program([str(tmp_path / "missing")], stderr=subprocess.DEVNULL) as beside:
        assert beside.wait() == -signal.SIGKILL


def test_a_terminals_ctrl_c_does_not_reach_it():
    with tied_program(["sleep", "1000"]) as beside:
        assert os.getpgid(beside.pid) != os.getpgid(0)
