"""Two ways to run a task's command: a process of its own, or a fork of one that has imported."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

from pipeline.cluster.rehearsal.task_container import Container, python
from serving.process.tied import tied_process
from transform_module.errors import UserError

_FORKS: Final = "pipeline.cluster.rehearsal.forks"
_POLL_SECONDS: Final = 0.05


class Processes(Protocol):
    """Runs commands."""

    def run(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> int:
        """Runs one, with its output appended to a file; returns the exit code."""

    def stop(self) -> None:
        """Kills those that run, and starts no other."""


class Exact:
    """A process for each task, with the command as it is; one of Python ends with this process."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[Any]] = set()
        self._stopped = False

    def run(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> int:
        """Runs a command in the container."""
        options = {
            "cwd": self._container.folder,
            "env": self._container.environment(environment),
            "stdin": subprocess.DEVNULL,
        }
        with log.open("ab") as output, ExitStack() as stack:
            with self._lock:
                if self._stopped:
                    return -signal.SIGKILL
                process = stack.enter_context(
                    _started(command, **options, stdout=output, stderr=output)
                )
                self._running.add(process)
            try:
                return process.wait()
            finally:
                self._running.discard(process)

    def stop(self) -> None:
        """Kills the processes that run, and starts no other."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.kill()


def _started(command: Sequence[str], **options: Any) -> AbstractContextManager[Any]:
    if _is_python_module(command):
        return tied_process(command[2], command[3:], **options)
    return subprocess.Popen(python(list(command)), **options)


def _is_python_module(command: Sequence[str]) -> bool:
    return list(command[:2]) in (["python", "-m"], ["python3", "-m"])


class Forks:
    """A fork for each task of one process that has imported what all of them import.

    A command other than `python -m`, or one that sets variables of its own, runs as `Exact` does.
    """

    def __init__(self, container: Container, modules: Sequence[str], log: Path) -> None:
        """Starts the process.

        Args:
            container: where it runs.
            modules: what it imports.
            log: what it says.

        Raises:
            UserError: a module cannot be imported in the container.
        """
        self._exact = Exact(container)
        self._lock = threading.Lock()
        self._count = 0
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                python(["python", "-m", _FORKS, *modules]),
                cwd=container.folder,
                env=container.environment({}),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
            )
        if self._line() != "ready":
            last = (log.read_text(errors="replace").strip().splitlines() or ["it ended"])[-1]
            raise UserError(
                f"What the tasks import cannot be imported from what the image holds: {last}\n"
                f"All of it is in {log}"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._process.wait()

    def stop(self) -> None:
        """Kills the forks that run, and starts no other."""
        self._exact.stop()
        assert self._process.stdin
        self._process.stdin.close()

    def run(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> int:
        """Runs a command in the container."""
        if environment or not _is_python_module(command):
            return self._exact.run(command, environment, log)
        with self._lock:
            self._count += 1
            status = log.with_suffix(f".{self._count}.status")
            order = {"argv": list(command[2:]), "log": str(log), "status": str(status)}
            assert self._process.stdin
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            child = int(self._line())
        while not status.exists() and _lives(child):
            time.sleep(_POLL_SECONDS)
        if not status.exists():
            return -1
        code = int(status.read_text())
        status.unlink()
        return code

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
