"""Checks whether the environment is finished, and made from the checkout as it is now."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import sys
from pathlib import Path

LOCK = "requirements.lock"
TOOLS = Path(__file__).with_name("tools.lock")


def is_ready(venv: Path, checkout: Path) -> bool:
    """Returns whether the environment is finished and made from what the checkout says now."""
    with contextlib.suppress(OSError):
        return _stamp(venv).read_text(encoding="utf-8") == _made_from(venv, checkout)
    return False


def mark_ready(venv: Path, checkout: Path) -> None:
    """Records that the environment is finished."""
    _stamp(venv).write_text(_made_from(venv, checkout), encoding="utf-8")


def _stamp(venv: Path) -> Path:
    return venv / "finished"


def _made_from(venv: Path, checkout: Path) -> str:
    """Hashes what the environment depends on: the lock, the code here, the place, the Python."""
    digest = hashlib.sha256()
    sources = [checkout / LOCK, checkout / "setup.py", TOOLS]
    for path in [*sources, *sorted(Path(__file__).parent.glob("*.py"))]:
        digest.update(path.read_bytes())
    place = [str(venv.resolve()), platform.python_version(), os.path.realpath(sys.base_prefix)]
    digest.update("\n".join(place).encode())
    return digest.hexdigest()
