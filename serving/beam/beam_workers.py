"""Beam's worker processes on this machine, which end with the process that started them."""

import contextlib
import os
import shlex
import threading
import time
from collections.abc import Iterator
from typing import Any, Final

import psutil
from apache_beam.portability import python_urns
from apache_beam.portability.api import beam_fn_api_pb2
from apache_beam.runners.portability.fn_api_runner import worker_handlers
from apache_beam.runners.portability.local_job_service import SubprocessSdkWorker

from serving.process import interrupts
from serving.process.scratch import LOCKED
from transform_module.errors import UserError

_PYTHON: Final = " -m "
"""Follows the interpreter in Beam's command line of a worker."""

_WORKER: Final = "apache_beam.runners.worker.sdk_worker_main"

_SWEEP_SECONDS: Final = 0.1
_GRACE_SECONDS: Final = 5.0


class _TiedWorker(worker_handlers.SubprocessSdkWorkerHandler):
    """A worker process. Its end ends the pipeline, and the end of this process ends it.

    Beam starts it through a shell and hands on no pipe. Where it dies, Beam 2.77 waits forever for
    its responses (``fn_api_runner/worker_handlers.py``, `ControlConnection`).
    """

    _death: UserError | None = None

    def start_worker(self) -> None:
        command = self._worker_command_line.decode()
        if folder := os.environ.get(LOCKED):
            tie = f"{_PYTHON}serving.process.tied {shlex.quote(folder)} "
            command = command.replace(_PYTHON, tie, 1)
        self._push, self._elements = self.control_conn.push, self.data_conn.input_elements
        self.control_conn.push, self.data_conn.input_elements = self._request, self._received
        self.worker = SubprocessSdkWorker(
            command.encode(), self.control_address, self.provision_info, self.worker_id
        )
        self.worker_thread = threading.Thread(name="run_worker", target=self._run)
        self.worker_thread.start()

    def stop_worker(self) -> None:
        # Beam has only one that is connected end, and waits for the others, too.
        self._push(worker_handlers.BeamFnControlServicer._DONE_MARKER)
        super().stop_worker()

    def _run(self) -> None:
        try:
            self.worker.run()
        except RuntimeError as error:
            self._death = UserError(
                f"A worker process of Beam died: {error}. Where memory is short, the system kills "
                "the largest process; --direct_num_workers sets how many there are."
            )
            for future in list(self.control_conn._futures_by_id.values()):
                self._end(future)

    def _request(self, request: Any) -> Any:
        future = self._push(request)
        if future is not None and self._death:
            self._end(future)
        return future

    def _end(self, future: Any) -> None:
        text = f"UserError: {self._death}"
        future.set(beam_fn_api_pb2.InstructionResponse(error=text))

    def _received(self, *which: Any, **options: Any) -> Iterator[Any]:
        try:
            yield from self._elements(*which, **options)
        except RuntimeError as error:
            # The connection may break before the process is known to have died.
            self.worker_thread.join(_GRACE_SECONDS)
            raise self._death or error from None


def tie_workers() -> None:
    """Has the worker processes that Beam will start end with this process, however it ends."""
    worker_handlers.WorkerHandler.register_environment(python_urns.SUBPROCESS_SDK, bytes)(
        _TiedWorker
    )
    interrupts.at_signal(_kill_workers)


def _kill_workers() -> None:
    """Kills workers until this process ends: Beam still starts some, and waits for all."""
    threading.Thread(target=_sweep, daemon=True, name="sweep").start()


def _sweep() -> None:
    while interrupts.received():
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if _WORKER in " ".join(process.cmdline()):
                    process.kill()
        time.sleep(_SWEEP_SECONDS)
