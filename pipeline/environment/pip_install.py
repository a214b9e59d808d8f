"""Explains why `pip install .` cannot work, before pip resolves and downloads for minutes.

`make setup` can do more than pip: it fetches a private glibc, or a Python, and needs no compiler.
"""

from __future__ import annotations

import importlib.util
import shutil
import sysconfig
from pathlib import Path

from pipeline.environment.decision import CONTAINER, decide
from pipeline.environment.machine import Machine


def obstacles(machine: Machine) -> list[str]:
    """Returns what stops pip, each in words with the way out; empty where nothing does.

    Args:
        machine: its facts.
    """
    plan = decide(machine)
    found = [plan.python, *(text for text in plan.obstacles if not text.startswith("Disk"))]
    if plan.glibc and machine.glibc:
        version = ".".join(map(str, machine.glibc))
        found.append(
            f"C library: {machine.os_name} has glibc {version}, and the wheels of TFX need 2.39.\n"
            "  `make setup` makes `.venv` with a private glibc in it. Or work in the container: "
            f"{CONTAINER}"
        )
    if not _has_farmhash() and not _can_compile():
        found.append(
            "Compiler: TFX requires pyfarmhash, which has no wheels, and a C compiler or Python's "
            "headers are missing.\n"
            "  `make setup` does without. Or get them: `apt install g++ python3-dev` (Debian, "
            "Ubuntu), `xcode-select --install` (macOS)"
        )
    return [text for text in found if text]


def _has_farmhash() -> bool:
    return importlib.util.find_spec("farmhash") is not None


def _can_compile() -> bool:
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    headers = Path(sysconfig.get_paths()["include"]) / "Python.h"
    return shutil.which(compiler) is not None and headers.is_file()
