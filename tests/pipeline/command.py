"""The `cxr` command as a process of its own, on a run small enough for tests.

The process is a fork of one that has imported TensorFlow and TFX, unless a test wants a cold
start: an interpreter that has imported nothing, as a user has it.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from pipeline.run import allocator
from tests import forks

REPOSITORY = Path(__file__).resolve().parents[2]

UV = Path(sys.prefix) / "bin" / "uv"
"""The installer, which the set-up leaves beside the interpreter."""

SMALL = """
name: small
synthetic: {images: 120}
trainer:
  cnn: {filters: [4], dense_units: [8]}
  epochs: 3
  batch_size: 8
report: {corruptions: 4}
evaluation: {minimum_auc: 0, minimum_sensitivity: 0, maximum_auc_drop: 1,
  maximum_sensitivity_drop: 1}
"""


COMPONENTS = {
    "ImportExampleGen",
    "StatisticsGen",
    "SchemaGen",
    "ExampleValidator",
    "Transform",
    "Trainer",
    "Baseline",
    "Evaluator",
    "ServingCheck",
    "Pusher",
    "Report",
}


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "pipeline", *map(str, arguments)]


def cxr(
    *arguments: str | Path, folder: Path = REPOSITORY, code: int = 0, cold: bool = False
) -> str:
    """Runs `cxr` to its end; what it printed to standard output."""
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        files = {"stdout": stdout, "stderr": stderr}
        with _started(*arguments, folder=folder, cold=cold, **files) as process:
            returned = process.wait(timeout=1800)
        stdout.seek(0)
        stderr.seek(0)
        printed, said = stdout.read(), stderr.read()
    assert returned == code, printed + said
    return printed if code == 0 else printed + said


def run(
    root: Path, *arguments: str | Path, folder: Path = REPOSITORY, cold: bool = False
) -> dict[str, Any]:
    """Runs the small pipeline under a root; its record."""
    return json.loads(cxr(*_small_run(root), *arguments, folder=folder, cold=cold))


def run_killed_when(moment: Callable[[], bool], root: Path) -> None:
    """Starts the small pipeline and kills it, with all its children, at a moment."""
    with _started(*_small_run(root), folder=REPOSITORY, cold=False) as process:
        deadline = time.monotonic() + 1800
        while not moment():
            assert process.poll() is None, "it ended before the moment came"
            assert time.monotonic() < deadline, "the moment did not come"
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait(timeout=600) == -signal.SIGKILL


@contextmanager
def _started(
    *arguments: str | Path,
    folder: Path,
    cold: bool,
    stdout: IO[str] | int = subprocess.DEVNULL,
    stderr: IO[str] | int = subprocess.DEVNULL,
) -> Iterator["subprocess.Popen[str] | forks.Fork"]:
    """Starts `cxr` in a session of its own, and kills what is left of it after the block."""
    if not cold:
        with forks.start(
            "pipeline",
            *map(str, arguments),
            folder=folder,
            environment={**os.environ, **allocator.environment()},
            stdout=stdout,
            stderr=stderr,
        ) as process:
            yield process
        return
    with subprocess.Popen(
        command(*arguments), cwd=folder, stdout=stdout, stderr=stderr, start_new_session=True
    ) as popen:
        try:
            yield popen
        finally:
            if popen.poll() is None:
                os.killpg(popen.pid, signal.SIGKILL)


def _small_run(root: Path) -> list[str | Path]:
    config = root.parent / "small.yaml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(SMALL)
    return ["run", "--json", "--root", root, "--config", config]


def states(record: dict[str, Any]) -> dict[str, str]:
    return {component["name"]: component["state"] for component in record["components"]}


def figures(record: dict[str, Any]) -> dict[tuple[str, str], float]:
    """The metrics that are defined, by slice and name."""
    return {
        (name, key): value
        for name, metrics in record["evaluation"]["slices"].items()
        for key, value in metrics.items()
        if value is not None
    }


def same_figures(record: dict[str, Any]) -> Any:
    """What the figures of a run on the same data by the same settings are equal to.

    Threads add float32 in the order in which they are ready, which differs by some 1e-6 on a busy
    machine. One image of the small run more or less would be 3e-2.
    """
    return pytest.approx(figures(record), rel=1e-4)
