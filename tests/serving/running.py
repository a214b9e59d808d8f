"""The embedded server, in a process of its own."""

import functools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.run import allocator
from tests import forks

START_SECONDS = 600
END_SECONDS = 600


@dataclass(frozen=True)
class Running:
    """A server that is ready.

    Attributes:
        rest: URL of REST and the page.
        grpc: address and port of gRPC.
        process: ends with the block, unless it has ended before.
        log: file of what it says.
    """

    rest: str
    grpc: str
    process: subprocess.Popen | forks.Fork
    log: Path


def _limit_files(files: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))


@contextmanager
def running(
    *arguments: str | Path, files: int | None = None, cold: bool = False
) -> Iterator[Running]:
    """Runs `cxr serve` on free ports until the block ends.

    Args:
        arguments: the model and options.
        files: how many files the process may open, which then starts cold; as many as this one by
            default.
        cold: whether the process is one that has imported nothing, in place of a fork.

    Raises:
        RuntimeError: it ended, or is not ready in time; with what it said.
    """
    with tempfile.TemporaryDirectory() as folder:
        ready, log = Path(folder, "ready.json"), Path(folder, "log")
        words = [*map(str, arguments), "--rest-port", "0", "--grpc-port", "0"]
        words += ["--ready-file", str(ready)]
        with log.open("wb") as output:
            if cold or files:
                process: subprocess.Popen | forks.Fork = subprocess.Popen(
                    [sys.executable, "-m", "pipeline.cli.commands.serve_command", *words],
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    preexec_fn=functools.partial(_limit_files, files) if files else None,
                )
            else:
                process = forks.start(
                    "pipeline.cli.commands.serve_command",
                    *words,
                    folder=Path.cwd(),
                    environment={**os.environ, **allocator.environment()},
                    stdout=output,
                    stderr=output,
                )
        with process:
            try:
                deadline = time.monotonic() + START_SECONDS
                while not ready.exists():
                    if process.poll() is not None or time.monotonic() > deadline:
                        raise RuntimeError(
                            f"the server is not ready:\n{log.read_text(errors='replace')}"
                        )
                    time.sleep(0.05)
                addresses = json.loads(ready.read_text())
                yield Running(addresses["rest"], addresses["grpc"], process, log)
            finally:
                process.terminate()
                try:
                    process.wait(END_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
