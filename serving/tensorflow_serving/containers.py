"""Docker or Podman, where one is there and runs."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from serving.process import interrupts

_ENGINES: Final = ("docker", "podman")


def find_engine() -> str | None:
    """Returns the name of the container engine that runs and has compose, or None."""
    for name in _ENGINES:
        if shutil.which(name) and _succeeds(name, "info") and _succeeds(name, "compose", "version"):
            return name
    return None


def up(engine: str, compose_file: Path) -> int:
    """Runs a compose file until it ends or is interrupted.

    Returns:
        The exit code.
    """
    # A signal while the program starts would leave it running, with nobody to stop it.
    with interrupts.held():
        process = subprocess.Popen([engine, "compose", "-f", str(compose_file), "up"])
        try:
            with interrupts.let_through():
                return process.wait()
        except KeyboardInterrupt:
            # It stops its containers. A terminal's Ctrl-C it has got, too, and a second one would
            # have it kill them.
            if interrupts.received() != signal.SIGINT or not sys.stdin.isatty():
                process.terminate()
            process.wait()
            raise


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
