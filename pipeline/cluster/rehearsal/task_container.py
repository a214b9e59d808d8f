"""Replacement of the container: a copy of the image's content, and nothing else of ours."""

import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from pipeline.run import allocator
from serving.process.scratch import LOCKED

PACKAGES: Final = ("pipeline", "components", "transform_module", "trainer_module", "serving")

# What a process takes from this machine; nothing else of its environment is there.
_KEPT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", LOCKED)

# An editable install leads every import back to the checkout, where nothing is ever missing.
GUARD: Final = """
import sys

sys.meta_path[:] = [
    finder for finder in sys.meta_path if "__editable__" not in getattr(finder, "__module__", "")
]
"""


class Container:
    """A folder that is the working directory of every task.

    Attributes:
        folder: it holds the packages.
    """

    def __init__(self, folder: Path, source: Path, own: Iterable[Path] = ()) -> None:
        """Copies the packages.

        Args:
            folder: is replaced.
            source: the checkout, or the folder that the packages are installed in.
            own: further packages (folders) and modules (files) that the image holds.
        """
        self.folder = folder / "image"
        self._guard = folder / "guard"
        for each in (self.folder, self._guard):
            shutil.rmtree(each, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for path in (*(source / package for package in PACKAGES), *own):
            if path.is_dir():
                shutil.copytree(
                    path, self.folder / path.name, ignore=shutil.ignore_patterns("__pycache__")
                )
            elif path.is_file():
                shutil.copy(path, self.folder)
        self._guard.mkdir(parents=True)
        (self._guard / "sitecustomize.py").write_text(GUARD, encoding="utf-8")

    def environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        """Returns the variables of a task's process.

        Args:
            extra: what the specification sets.
        """
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        return {
            **kept,
            **allocator.environment(),
            "PYTHONPATH": str(self._guard),
            "PYTHONUNBUFFERED": "1",
            "TF_CPP_MIN_LOG_LEVEL": "1",
            **extra,
        }


def python(command: list[str]) -> list[str]:
    """Replaces the container's Python by this one."""
    return [sys.executable, *command[1:]] if command[0] in ("python", "python3") else command
