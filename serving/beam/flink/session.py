"""A Flink session cluster on this machine: one JobManager and TaskManagers, as processes.

They listen on the loopback alone, are started again where they die, and are killed with the process
that started them. The jars of PyPI's `apache-flink-libraries` come without Flink's scripts
(``bin/``, ``conf/``), so that what these compute is written here: a TaskManager wants every part of
its memory by name (Flink 1.19, ``TaskExecutorResourceUtils``), and Java 17 the packages that Flink
opens (``conf/config.yaml``, ``env.java.opts.all``).
"""

import contextlib
import os
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import yaml

from serving.beam.flink.cluster import Cluster, cluster_at
from serving.beam.flink.flink_downloads import flink_jars, java, job_server_jars
from serving.process.tied_program import tied_program
from transform_module.errors import UserError

_OPENED: Final = (
    "--add-exports=java.base/sun.net.util=ALL-UNNAMED",
    *(
        f"--add-opens=java.base/{package}=ALL-UNNAMED"
        for package in (
            "java.io",
            "java.lang",
            "java.lang.reflect",
            "java.net",
            "java.nio",
            "java.text",
            "java.time",
            "java.util",
            "java.util.concurrent",
            "java.util.concurrent.atomic",
            "java.util.concurrent.locks",
            "sun.nio.ch",
        )
    ),
)
"""Packages of Java that Flink's serializers reach into."""

SHORT_LIVED: Final = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""Java's options for a process of minutes: it otherwise spends a core on compiling itself well."""

_MEMORY: Final = {
    "taskmanager.cpu.cores": 1,
    "taskmanager.memory.framework.heap.size": "128m",
    "taskmanager.memory.framework.off-heap.size": "128m",
    "taskmanager.memory.task.heap.size": "384m",
    "taskmanager.memory.task.off-heap.size": "64m",
    "taskmanager.memory.network.min": "512m",
    "taskmanager.memory.network.max": "512m",
    "taskmanager.memory.managed.size": "256m",
    "taskmanager.memory.jvm-metaspace.size": "256m",
    "taskmanager.memory.jvm-overhead.min": "192m",
    "taskmanager.memory.jvm-overhead.max": "192m",
    "jobmanager.memory.process.size": "1024m",
}

_RESTARTS: Final = {
    # A TaskManager that dies takes its part of the job with it, which starts anew elsewhere. Each
    # of its tasks fails by itself: this strategy alone counts what fails together as one attempt
    # (Flink 1.19, FLIP-364), so that a job of many tasks does not use all of them up at once.
    "restart-strategy.type": "exponential-delay",
    # The first ones may go to the dead one, until the JobManager misses it and another is there.
    "restart-strategy.exponential-delay.attempts-before-reset-backoff": 8,
    "restart-strategy.exponential-delay.initial-backoff": "2 s",
    "restart-strategy.exponential-delay.backoff-multiplier": 1.5,
    "restart-strategy.exponential-delay.max-backoff": "20 s",
    # How soon a death is noticed; Flink's own 50 s are long for a try.
    "heartbeat.interval": 2_000,
    "heartbeat.timeout": 20_000,
}

_LOG: Final = """\
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = console
appender.console.name = console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %-5p %c %m%n%ex
"""

_SECONDS_BETWEEN_LOOKS: Final = 0.2

_JOB_MANAGER: Final = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
_TASK_MANAGER: Final = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"


@contextlib.contextmanager
def local_session(folder: Path, task_managers: int) -> Iterator[Cluster]:
    """Runs a session cluster beside a block.

    Args:
        folder: an empty folder for its configuration, logs and temporary files.
        task_managers: processes that compute, each one task of a step at a time.

    Yields:
        The cluster, with all its TaskManagers there.

    Raises:
        UserError: Java or Flink is missing, or a process of it ended.
    """
    program, path = java(), _class_path()
    rpc, rest = free_ports(2)
    settings = {
        **dict.fromkeys(_BIND_TO_LOOPBACK, "127.0.0.1"),
        **_MEMORY,
        **_RESTARTS,
        "jobmanager.rpc.port": rpc,
        "rest.port": rest,
        "taskmanager.numberOfTaskSlots": 1,
        "io.tmp.dirs": str(folder),
        "classloader.resolve-order": "parent-first",
    }
    write_configuration(folder, settings)
    common = [*SHORT_LIVED, *_OPENED, f"-Djava.io.tmpdir={folder}"]
    common += [f"-Dlog4j.configurationFile={folder / 'log4j.properties'}", "-cp", path]
    with contextlib.ExitStack() as stack:

        def start(name: str, entry: str, *memory: str) -> _Kept:
            command = [program, *memory, *common, entry, "--configDir", str(folder)]
            return stack.enter_context(_Kept(command, folder / f"{name}.log"))

        kept = [start("jobmanager", _JOB_MANAGER, "-Xmx512m")]
        for index in range(task_managers):
            kept.append(start(f"taskmanager-{index}", _TASK_MANAGER, *_TASK_MANAGER_MEMORY))
        yield _whole(f"127.0.0.1:{rest}", task_managers, kept)


class _Kept(threading.Thread):
    """A program that runs beside a block, and is started again where it ends, as in a pod.

    Args:
        command: the program and its arguments.
        log: gets what it prints.
    """

    def __init__(self, command: Sequence[str], log: Path) -> None:
        super().__init__(daemon=True, name=log.stem)
        self.log = log
        self.starts = 0
        self._command = command
        self._over = threading.Event()

    def __enter__(self) -> "_Kept":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        while not self._over.is_set():
            self.starts += 1
            with (
                self.log.open("ab") as log,
                tied_program(self._command, stdout=log, stderr=subprocess.STDOUT) as process,
            ):
                while process.poll() is None and not self._over.wait(_SECONDS_BETWEEN_LOOKS):
                    pass


def _class_path() -> str:
    """Flink's jars, and Beam's.

    A job brings Beam's along, but where a TaskManager has loaded them from a job it ends Beam's
    workers with each step (Beam 2.70, ``FlinkExecutableStageContextFactory``).
    """
    own = (jar for jar in job_server_jars().glob("*.jar") if not jar.name.startswith(_IN_FLINK))
    return os.pathsep.join([str(flink_jars() / "*"), *map(str, sorted(own))])


_IN_FLINK: Final = ("flink-", "slf4j-api-")

_BIND_TO_LOOPBACK: Final = (
    "jobmanager.rpc.address",
    "jobmanager.bind-host",
    "rest.address",
    "rest.bind-address",
    "taskmanager.host",
    "taskmanager.bind-host",
)
# Of _MEMORY: heaps of framework and task; what is off the heap, and the network's.
_TASK_MANAGER_MEMORY: Final = (
    "-Xmx512m",
    "-XX:MaxDirectMemorySize=704m",
    "-XX:MaxMetaspaceSize=256m",
)


def write_configuration(folder: Path, settings: Mapping[str, object]) -> None:
    """Writes Flink's ``config.yaml``, and a ``log4j.properties`` that logs to standard output."""
    (folder / "config.yaml").write_text(yaml.safe_dump(dict(settings)))
    (folder / "log4j.properties").write_text(_LOG)


def worker_command(folder: Path) -> str:
    """Writes the program by which a TaskManager of this machine starts a worker of Beam.

    Beam takes a path and hands on its own arguments.
    """
    place = folder / "worker"
    place.write_text(
        f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m serving.beam.flink.flink_worker "$@"\n'
    )
    place.chmod(0o700)
    return str(place)


def _whole(address: str, task_managers: int, kept: Sequence[_Kept]) -> Cluster:
    """Waits until all TaskManagers have come to the JobManager."""
    while True:
        for each in kept:
            if each.starts > 1:
                raise UserError(f"A process of Flink ended as it started: {last_error(each.log)}")
        with contextlib.suppress(UserError):
            if (cluster := cluster_at(address)).slots == task_managers:
                return cluster
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def last_error(log: Path) -> str:
    """Returns the line of a Java program's log that says why it ended."""
    lines = log.read_text(errors="replace").splitlines()
    said = [line for line in lines if "Caused by" in line or "Exception" in line or "rror" in line]
    return (said or lines or ["it printed nothing"])[-1].strip()


def free_ports(count: int) -> list[int]:
    """Returns ports of the loopback that nobody holds now."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in held:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in held]
