"""Runs the programs that the installation is made of."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.environment.problem import SetUpError


def run(
    command: Sequence[str | Path],
    doing: str,
    *,
    variables: Mapping[str, str] | None = None,
    folder: Path | None = None,
    shown: bool = False,
) -> str:
    """Runs a program to its end.

    Args:
        command: the program and its arguments.
        doing: what it does, for the message when it fails.
        variables: environment variables to set.
        folder: where it runs; None for the present folder.
        shown: whether its messages go to the terminal as they come.

    Returns:
        What it printed to standard output.

    Raises:
        SetUpError: it is missing or failed; the message ends with its last lines.
    """
    try:
        done = subprocess.run(
            [str(part) for part in command],
            env={**os.environ, **(variables or {})},
            cwd=str(folder) if folder else None,
            stdout=subprocess.PIPE,
            stderr=None if shown else subprocess.STDOUT,
            text=True,
            check=False,
        )
    except OSError as error:
        raise SetUpError(f"{doing} failed: {command[0]} cannot be started ({error}).") from error
    if done.returncode:
        lines = (done.stdout or "").strip().splitlines()[-12:]
        output = "".join(f"\n  | {line}" for line in lines)
        raise SetUpError(f"{doing} failed (exit code {done.returncode}).{output}")
    return done.stdout
