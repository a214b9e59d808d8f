"""A Flink session cluster on this machine: one JobManager and TaskManagers, as processes.

They listen on the loopback alone, and are killed with the process that started them. The jars of
PyPI's `apache-flink-libraries` come without Flink's scripts (``bin/``, ``conf/``), so that what
these compute is written here: a TaskManager wants every part of its memory by name (Flink 1.19,
``TaskExecutorResourceUtils``), and Java 17 the packages that Flink opens (``conf/config.yaml``,
``env.java.opts.all``).
"""

import contextlib
import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

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
    # A TaskManager that dies takes its part of the job with it, which starts anew elsewhere.
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": 3,
    "restart-strategy.fixed-delay.delay": "1 s",
    # How soon a death is noticed; twice Flink's own would be too long for a try.
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
    with contextlib.ExitStack() as processes:

        def start(name: str, entry: str, *memory: str) -> tuple["subprocess.Popen[Any]", Path]:
            log = folder / f"{name}.log"
            command = [program, *memory, *SHORT_LIVED, *_OPENED, f"-Djava.io.tmpdir={folder}"]
            command += [f"-Dlog4j.configurationFile={folder / 'log4j.properties'}"]
            command += ["-cp", path, entry, "--configDir", str(folder)]
            output = processes.enter_context(log.open("wb"))
            return processes.enter_context(
                tied_program(command, stdout=output, stderr=subprocess.STDOUT)
            ), log

        started = [start("jobmanager", _JOB_MANAGER, "-Xmx512m")]
        for index in range(task_managers):
            started.append(start(f"taskmanager-{index}", _TASK_MANAGER, *_TASK_MANAGER_MEMORY))
        yield _whole(f"127.0.0.1:{rest}", task_managers, started)


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


def _whole(
    address: str, task_managers: int, started: list[tuple["subprocess.Popen[Any]", Path]]
) -> Cluster:
    """Waits until all TaskManagers have come to the JobManager."""
    while True:
        for process, log in started:
            if process.poll() is not None:
                raise UserError(f"A process of Flink ended as it started: {last_error(log)}")
        with contextlib.suppress(UserError):
            if (cluster := cluster_at(address)).slots == task_managers:
                return cluster
        time.sleep(0.2)


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
