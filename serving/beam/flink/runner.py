"""Beam's runner for Flink: starts what is missing, and submits to it.

`apache_beam`'s own `FlinkRunner` (2.77, ``runners/portability/flink_runner.py``) wants the job
server as one jar of Beam's very version, and takes over SIGINT. This one runs the job server from
its parts; it ends with this process.
"""

import atexit
import contextlib
import functools
import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
from apache_beam.options.pipeline_options import (
    FlinkRunnerOptions,
    PipelineOptions,
    PortableOptions,
)
from apache_beam.runners.portability.portable_runner import PortableRunner

from serving.beam.beam_args import FLINK_HERE
from serving.beam.flink.cluster import Cluster, cluster_at
from serving.beam.flink.flink_downloads import java, job_server_jars
from serving.beam.flink.session import (
    SHORT_LIVED,
    free_ports,
    last_error,
    local_session,
    worker_command,
    write_configuration,
)
from serving.process.tied_program import tied_program
from transform_module.errors import UserError

_TASK_MANAGERS: Final = 2
_WORKER_POOL: Final = "localhost:50000"
"""Where a TaskManager finds the pool of Beam's workers: beside it, in the same pod."""

_WORKER_STAYS: Final = 60_000
"""Milliseconds that a worker without work stays."""

_JOB_SERVER: Final = "org.apache.beam.runners.flink.FlinkJobServerDriver"


@dataclass(frozen=True)
class Engine:
    """A cluster, with a job server before it.

    Attributes:
        cluster: where the jobs run.
        job_server: HOST:PORT.
        worker: the program that starts a worker, of a cluster on this machine.
    """

    cluster: Cluster
    job_server: str
    worker: str | None


class FlinkRunner(PortableRunner):
    """Runs a pipeline on Flink.

    ``--flink_master`` names the cluster: HOST:PORT of its REST API, ``local`` for one that is
    started on this machine with two TaskManagers, or ``local[N]`` with N. Beam's workers are
    processes of the local cluster; of another one, the pool at ``--environment_config``, by default
    at localhost:50000 of each TaskManager.
    """

    def default_environment(self, options: PipelineOptions) -> Any:
        """Says where Beam's workers come from, where the options do not."""
        flink = options.view_as(FlinkRunnerOptions)
        chosen = engine(flink.flink_master, tempfile.gettempdir())
        flink.flink_master = chosen.cluster.address
        portable = options.view_as(PortableOptions)
        portable.job_endpoint = chosen.job_server
        # A TaskManager ends its worker when no step of the job is in it, and starts another for the
        # next one, which imports TensorFlow anew.
        portable.environment_cache_millis = portable.environment_cache_millis or _WORKER_STAYS
        if not portable.environment_type:
            if chosen.worker:
                portable.environment_type = "PROCESS"
                portable.environment_config = json.dumps({"command": chosen.worker})
            else:
                portable.environment_type = "EXTERNAL"
                portable.environment_config = portable.environment_config or _WORKER_POOL
        return super().default_environment(options)


@functools.cache
def engine(master: str, temporary: str) -> Engine:
    """Starts what lives as long as this process, once for each cluster.

    Args:
        master: as ``--flink_master``.
        temporary: the folder for temporary files; with it goes what was started in it.

    Raises:
        UserError: there is no such cluster, or what is missing cannot be started.
    """
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="flink-", dir=temporary)))
    if local := re.fullmatch(FLINK_HERE, master):
        session = folder / "session"
        session.mkdir()
        cluster = stack.enter_context(local_session(session, int(local[1] or _TASK_MANAGERS)))
        worker: str | None = worker_command(folder)
    else:
        cluster, worker = cluster_at(master), None
    if not cluster.slots:
        raise UserError(f"The Flink cluster at {cluster.address} has no TaskManager.")
    return Engine(cluster, _start_job_server(stack, folder, cluster), worker)


def _start_job_server(stack: contextlib.ExitStack, folder: Path, cluster: Cluster) -> str:
    program, jars = java(), job_server_jars()
    # Without it a job uses one slot.
    write_configuration(folder, {"parallelism.default": cluster.slots})
    [port] = free_ports(1)
    log = folder / "job_server.log"
    command = [program, "-Xmx512m", *SHORT_LIVED, "-cp", str(jars / "*"), _JOB_SERVER]
    command += [f"--flink-master={cluster.address}", f"--flink-conf-dir={folder}"]
    command += [f"--artifacts-dir={folder / 'artifacts'}", f"--job-port={port}"]
    command += ["--job-host=127.0.0.1", "--artifact-port=0", "--expansion-port=0"]
    output = stack.enter_context(log.open("wb"))
    process = stack.enter_context(tied_program(command, stdout=output, stderr=subprocess.STDOUT))
    with grpc.insecure_channel(address := f"127.0.0.1:{port}") as channel:
        ready = grpc.channel_ready_future(channel)
        while True:
            try:
                ready.result(timeout=0.5)
            except grpc.FutureTimeoutError:
                if process.poll() is not None:
                    raise UserError(f"Beam's job server ended: {last_error(log)}") from None
            else:
                return address
