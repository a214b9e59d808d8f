"""A fork is a program like any that starts cold."""

import contextlib
import json
import os
import signal
import subprocess
import sys

import psutil
import pytest

from tests import forks

pytestmark = [pytest.mark.slow, pytest.mark.e2e]

REPORT = """
import json, logging, os, random, signal, sys, threading
import numpy as np
import pipeline
handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)]
print(json.dumps({
    "argv": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd(),
    "ours": pipeline.__file__, "input": sys.stdin.read(), "name": __name__,
    "handlers": [repr(each) for each in handlers],
    "blocked": len(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "logging": [len(logging.root.handlers), logging.root.level],
    "threads": threading.active_count(), "files": len(os.listdir("/dev/fd")),
    "drawn": [random.random(), np.random.random()],
}))
"""
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "WORD": "yes"}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "reporting.py").write_text(REPORT)
    (tmp_path / "pipeline.py").touch()
    return tmp_path


def start(folder, module, *arguments, **options):
    return forks.start(module, *arguments, folder=folder, environment=ENVIRONMENT, **options)


def reported(folder):
    out = folder / "out"
    with (
        out.open("w") as file,
        start(folder, "reporting", "a", "b c", stdout=file, stderr=file) as process,
    ):
        code = process.wait(600)
    assert code == 0, out.read_text()
    return json.loads(out.read_text())


def test_it_finds_what_a_cold_one_does(folder):
    cold = json.loads(
        subprocess.run(
            [sys.executable, "-m", "reporting", "a", "b c"],
            cwd=folder,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=True,
            # A shell has what it puts aside ignore it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        ).stdout
    )
    found = reported(folder)
    assert len({*found.pop("drawn"), *reported(folder)["drawn"], *cold.pop("drawn")}) == 6
    assert found == cold
    assert found["ours"] == str(folder / "pipeline.py")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("import sys; sys.exit(3)", 3),
        ("raise ValueError", 1),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
        ("import atexit, os; atexit.register(os._exit, 7)", 7),
    ],
)
def test_it_ends_as_a_cold_one(folder, text, code):
    (folder / "ending.py").write_text(text)
    with start(folder, "ending") as process:
        assert process.wait(600) == code == process.poll()


def test_it_gets_signals_and_leaves_nothing_after_its_block(folder):
    (folder / "waiting.py").write_text(
        "import subprocess, time\n"
        "print(subprocess.Popen(['sleep', '1000']).pid, flush=True)\n"
        "time.sleep(1000)"
    )
    (read, write) = os.pipe()
    with os.fdopen(read) as lines:
        with os.fdopen(write, "w") as file, start(folder, "waiting", stdout=file) as process:
            file.close()
            child = int(lines.readline())
            assert process.poll() is None
            assert os.getsid(child) == process.pid
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.01)
            process.send_signal(signal.SIGINT)
            assert process.wait(600) == -signal.SIGINT
        assert lines.read() == ""  # Nobody is left that could write there.
    # It is reaped after what it started has ended.
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(process.pid).wait(600)
    assert not psutil.pid_exists(process.pid)
