"""The program `cxr` as its users start it: in a process of its own, with true signals and pipes."""

import os
import signal
import subprocess
import sys

import pytest

from pipeline.run_records import run_record
from tests.pipeline import records
from tests.pipeline.command import REPOSITORY, command

AT_IMPORT = """
import importlib.abc, os, sys
from pipeline import __main__ as program

class Interrupting(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "click":
            os.kill(os.getpid(), int(sys.argv[1]))

sys.meta_path.insert(0, Interrupting())
program.main()
"""

# A library's thread that knows of no signal, and that the interpreter would wait for.
WITH_THREAD = """
import os, subprocess, sys, threading, time
import click
import psutil
import pipeline.cli.main
from pipeline.cli.command import for_people
from pipeline import __main__ as program

@pipeline.cli.main.main.command()
@for_people
def wait():
    threading.Thread(target=time.sleep, args=[1000]).start()
    child = subprocess.Popen(["sleep", "1000"])
    print(child.pid, flush=True)
    os.kill(os.getpid(), number)

number = int(sys.argv.pop())
program.main()
"""


def program(script, *arguments):
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.mark.parametrize(
    ("number", "said"),
    [(signal.SIGINT, "Interrupted.\n"), (signal.SIGTERM, "Stopped by SIGTERM.\n")],
)
def test_a_signal_while_it_is_imported_ends_in_one_sentence(number, said):
    done = program(AT_IMPORT, int(number))
    assert (done.returncode, done.stderr) == (128 + number, said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_for_no_thread_and_leaves_no_process(number):
    done = program(WITH_THREAD, "wait", int(number))
    assert done.returncode == 128 + number
    assert len(done.stderr.splitlines()) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)


@pytest.fixture
def root(tmp_path):
    for number in range(3):
        run_record.save(records.run(f"20260301-{number}"), tmp_path / "runs")
    return tmp_path


@pytest.mark.parametrize("given", [(), ("--json",), ("last",)])
def test_a_reader_that_has_gone_ends_it_without_a_word(root, given):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        command("runs", "--root", root, *given),
        cwd=REPOSITORY,
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=600,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--version"], 0, ""),
        (["fly"], 2, "No such command 'fly'"),
        (["runs", "--root", "/nowhere"], 1, "Error: No run has begun under /nowhere."),
    ],
)
def test_the_other_ends_have_their_codes(arguments, code, said):
    done = subprocess.run(
        command(*arguments), cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert said in done.stderr
