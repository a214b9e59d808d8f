"""What a command costs, its children included."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

_INTERVAL_SECONDS = 0.2


@dataclass(frozen=True)
class Cost:
    """What one run of a command took.

    Attributes:
        seconds: from its start to its end.
        cpu_seconds: of the process and the children it waited for, in user mode and in the kernel.
        peak_memory: highest sum of the proportional set sizes of the whole process tree, in bytes;
            sampled, so that a peak shorter than a fifth of a second can be missed.
        written: bytes handed to the file system.
        page_faults: minor and major ones.
    """

    seconds: float
    cpu_seconds: float
    peak_memory: int
    written: int
    page_faults: int

    def as_dict(self) -> dict[str, float | int]:
        """All of it, by name."""
        return asdict(self)


class Failed(Exception):
    """A measured command ended with an error: there is nothing to compare."""


def run(
    command: Sequence[str | Path],
    log: Path,
    *,
    variables: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Cost:
    """Runs a command to its end.

    Args:
        command: program and arguments.
        log: gets what it prints.
        variables: of the environment, beside those of this process.
        folder: to run in.

    Returns:
        What it cost.

    Raises:
        Failed: it ended with another code than 0.
    """
    started = time.perf_counter()
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(variables or {})},
            cwd=folder,
        )
        sampler = _Sampler(process.pid)
        # `wait4` alone returns the resources of this one child and of what it waited for.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        peak = sampler.stop()
    if process.returncode:
        tail = log.read_text(errors="replace")[-2000:]
        raise Failed(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{tail}")
    return Cost(
        seconds=seconds,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_memory=peak,
        # Linux counts blocks of 512 bytes (getrusage(2)).
        written=usage.ru_oublock * 512,
        page_faults=usage.ru_minflt + usage.ru_majflt,
    )


class _Sampler:
    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample_until_ended, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        self._ended.set()
        self._thread.join()
        return self._peak

    def _sample_until_ended(self) -> None:
        while not self._ended.wait(_INTERVAL_SECONDS):
            self._peak = max(self._peak, tree_memory(self._pid))


def tree_memory(pid: int) -> int:
    """Sums the memory of a process and its children, each shared page once; 0 where it is gone."""
    total = 0
    with contextlib.suppress(psutil.Error):
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                total += process.memory_full_info().pss if sys.platform == "linux" else 0
    return total
