"""The `cxr` command as a process of its own, on a run small enough for tests."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def cxr(*arguments: str | Path, folder: Path = REPOSITORY, code: int = 0) -> str:
    """Runs `cxr` to its end; what it printed to standard output."""
    done = subprocess.run(
        command(*arguments), cwd=folder, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stdout + done.stderr


def run(root: Path, *arguments: str | Path, folder: Path = REPOSITORY) -> dict[str, Any]:
    """Runs the small pipeline under a root; its record."""
    return json.loads(cxr(*_small_run(root), *arguments, folder=folder))


def run_killed_when(moment: Callable[[], bool], root: Path, *arguments: str | Path) -> None:
    """Starts the small pipeline and kills it, with all its children, at a moment."""
    process = subprocess.Popen(
        command(*_small_run(root), *arguments),
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 300
    while not moment():
        assert process.poll() is None, "it ended before the moment came"
        assert time.monotonic() < deadline, "the moment did not come"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


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
