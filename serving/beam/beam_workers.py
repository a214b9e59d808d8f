"""Beam's worker processes on this machine, which end with the process that started them."""

import contextlib
import os
import shlex
from typing import Any, Final

import psutil
from apache_beam.runners.portability import local_job_service

from serving.process import interrupts
from serving.process.scratch import LOCKED

_PYTHON: Final = " -m "
"""Follows the interpreter in Beam's command line of a worker."""

_WORKER: Final = "apache_beam.runners.worker.sdk_worker_main"


class _TiedWorker(local_job_service.SubprocessSdkWorker):
    def __init__(self, worker_command_line: bytes, *arguments: Any, **options: Any) -> None:
        command = worker_command_line.decode()
        if folder := os.environ.get(LOCKED):
            tie = f"{_PYTHON}serving.process.tied {shlex.quote(folder)} "
            command = command.replace(_PYTHON, tie, 1)
        super().__init__(command.encode(), *arguments, **options)


def tie_workers() -> None:
    """Has the worker processes that Beam will start end with this process, however it ends.

    Beam starts them through a shell and hands on no pipe, and kills no more than the shell. When it
    is interrupted it waits for them to end, which they do not.
    """
    local_job_service.SubprocessSdkWorker = _TiedWorker
    interrupts.at_signal(_kill_workers)


def _kill_workers() -> None:
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if _WORKER in " ".join(process.cmdline()):
                process.kill()
