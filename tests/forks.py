"""Programs of Python as processes of their own, forked from one that has imported what is slow.

To import TensorFlow, TFX and Beam takes a process many seconds. Here one process does it, imports
no module of ours, and starts no thread and nothing of TensorFlow. It forks for each program, which
imports our modules from its own working directory, and ends as any interpreter does.
"""

import contextlib
import functools
import gc
import importlib
import json
import logging
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

SLOW = (
    "apache_beam",
    "apache_beam.runners.direct.direct_runner",
    "keras",
    "httpx",
    "kfp",
    "ml_metadata.metadata_store",
    "numpy",
    "PIL.ImageFont",
    "pydantic",
    "rich.console",
    "tensorflow",
    "tensorflow_data_validation",
    "tensorflow_model_analysis",
    "tensorflow_serving.apis.prediction_log_pb2",
    "tensorflow_transform.beam",
    "tfx.components.evaluator.executor",
    "tfx.components.example_gen.component",
    "tfx.components.example_validator.executor",
    "tfx.components.infra_validator.component",
    "tfx.components.schema_gen.component",
    "tfx.components.statistics_gen.component",
    "tfx.components.trainer.executor",
    "tfx.components.transform.component",
    "tfx.components.transform.executor",
    "tfx.components.tuner.executor",
    "tfx.dsl.compiler.compiler",
    "tfx.orchestration.beam.beam_dag_runner",
    "tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner",
    "tfx.orchestration.local.local_dag_runner",
    "tfx.orchestration.portable.launcher",
)
OURS = frozenset(
    {"components", "pipeline", "serving", "tests", "trainer_module", "transform_module"}
)
_DESCRIPTORS = 5
_STARTING = threading.Lock()
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Fork:
    """A program that runs, or has ended.

    Attributes:
        pid: of its process, and of its session; it stays its own until this object is closed.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines = connection.makefile("r")
        self._code: int | None = None
        self.pid = self._number()

    def _number(self) -> int:
        line = self._lines.readline()
        assert line, "the process that forks has ended"
        return int(line)

    def poll(self) -> int | None:
        """The exit code, as `subprocess` has it; None as long as it runs."""
        if self._code is None and select.select([self._connection], [], [], 0)[0]:
            self._code = self._number()
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end; the exit code.

        Raises:
            TimeoutExpired: it takes longer.
        """
        if self._code is None:
            if not select.select([self._connection], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("fork", timeout or 0)
            self._code = self._number()
        return self._code

    def send_signal(self, number: int) -> None:
        """Sends a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> "Fork":
        return self

    def __exit__(self, *_: object) -> None:
        """Kills what still runs of it."""
        self._lines.close()
        self._connection.close()


def start(
    module: str,
    *arguments: str,
    folder: Path,
    environment: Mapping[str, str],
    stdout: IO[Any] | int = subprocess.DEVNULL,
    stderr: IO[Any] | int = subprocess.DEVNULL,
) -> Fork:
    """Starts `python -m MODULE ARGUMENT...` in a session of its own.

    Args:
        module: what runs; its first import is this one.
        arguments: of the program.
        folder: its working directory, where it finds modules first.
        environment: all its variables; those that count when a process starts have no effect.
        stdout: a file, or `subprocess.DEVNULL`.
        stderr: likewise.
    """
    here, there = socket.socketpair()
    with there, tempfile.TemporaryFile("w+") as request, open(os.devnull, "r+b") as nothing:
        request.write(
            json.dumps(
                {
                    "argv": [module, *arguments],
                    "folder": str(folder),
                    "environment": dict(environment),
                }
            )
        )
        request.flush()
        out, err = (nothing if each == subprocess.DEVNULL else each for each in (stdout, stderr))
        files = (there, request, nothing, out, err)
        with _STARTING:
            server = _server()
        socket.send_fds(
            server, [b"."], [each if isinstance(each, int) else each.fileno() for each in files]
        )
    return Fork(here)


@functools.cache
def _server() -> socket.socket:
    """Starts the process that forks, which ends with this one."""
    from pipeline.run import allocator

    here, there = socket.socketpair()
    with there:
        subprocess.Popen(
            [sys.executable, __file__, str(there.fileno())],
            pass_fds=[there.fileno()],
            env={**os.environ, **allocator.environment()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
    return here


def import_slow() -> None:
    """Imports what is slow, the garbage collector off, as in `serving.process.collector`."""
    gc.disable()
    for module in SLOW:
        importlib.import_module(module)
    gc.freeze()
    gc.enable()


def _serve(control: socket.socket) -> None:
    """Forks for each request, until nobody can send any more; returns in a fork alone."""
    woken, wake = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    running: dict[socket.socket, int] = {}
    ended: set[int] = set()
    while True:
        for each in select.select([control, woken, *running], [], [])[0]:
            if each is woken:
                woken.recv(1024)
                for connection, pid in running.items():
                    if pid not in ended and (code := _code(pid)) is not None:
                        ended.add(pid)
                        with contextlib.suppress(OSError):
                            connection.sendall(b"%d\n" % code)
            elif each is control:
                message, descriptors, *_ = socket.recv_fds(control, 1, _DESCRIPTORS)
                if not message:
                    for pid in running.values():
                        _bury(pid)
                    os._exit(0)
                connection = socket.socket(fileno=descriptors[0])
                pid = os.fork()
                if not pid:
                    for inherited in (control, woken, wake, connection, *running):
                        inherited.close()
                    _become(*descriptors[1:])
                    return
                for descriptor in descriptors[1:]:
                    os.close(descriptor)
                running[connection] = pid
                with contextlib.suppress(OSError):
                    connection.sendall(b"%d\n" % pid)
            else:
                # Nobody writes there: it is closed.
                pid = running.pop(each)
                _bury(pid)
                ended.discard(pid)
                each.close()


def _code(pid: int) -> int | None:
    found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if found is None:
        return None
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status


def _bury(pid: int) -> None:
    with contextlib.suppress(OSError):  # Its session ended before it did, or is not there yet.
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def _become(request: int, *streams: int) -> None:
    """Makes a fork the requested process, but for the program."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    with os.fdopen(request) as file:
        file.seek(0)
        record = json.load(file)
    os.environ.clear()
    os.environ.update(record["environment"])
    os.chdir(record["folder"])
    sys.path[0] = record["folder"]
    sys.argv = record["argv"]
    tempfile.tempdir = None
    # Libraries add handlers when they are imported, and a program comes first that sets its own.
    logging.root.handlers.clear()
    logging.root.setLevel(logging.WARNING)
    sys.modules["numpy"].random.seed()


def main() -> None:
    """Serves, and runs the program in a fork."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    del sys.path[0]  # The folder of this file.
    import_slow()
    assert not OURS & set(sys.modules), "a fork would run modules of another folder than its own"
    sys.path.insert(0, "")
    _serve(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
