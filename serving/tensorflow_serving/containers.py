"""Docker or Podman, where one is there and runs."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

_ENGINES: Final = ("docker", "podman")


def find_engine() -> str | None:
    """Returns the name of the container engine that answers and has compose, or None."""
    for name in _ENGINES:
        if shutil.which(name) and _succeeds(name, "info") and _succeeds(name, "compose", "version"):
            return name
    return None


def up(engine: str, compose_file: Path) -> int:
    """Runs a compose file until it ends or is interrupted.

    Returns:
        The exit code.
    """
    return subprocess.run(
        [engine, "compose", "-f", str(compose_file), "up"], check=False
    ).returncode


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
