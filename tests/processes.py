"""Cases that need processes of their own, such as workers: forked from one that has imported all.

What a process sets before TensorFlow starts (devices, servers) is set for good, and to import
TensorFlow takes many seconds.
"""

import json
import multiprocessing
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from tests.ports import reserved

_TIMEOUT = 600


def run(case: Callable[..., Any], *calls: dict[str, Any]) -> list[Any]:
    """Runs a function once for each call, all at a time, each in a process of its own.

    Args:
        case: a function of a module.
        calls: its arguments by name; `environment` is set before, and not given to it.

    Returns:
        What it returned, in the order of the calls.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.trainer_module.small"])
    started = []
    for call in calls:
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_run, args=(sender, case, call), daemon=True)
        process.start()
        sender.close()
        started.append((process, receiver))
    results, failures = [], []
    try:
        for process, receiver in started:
            try:
                done, message = receiver.recv() if receiver.poll(_TIMEOUT) else (False, "it hangs")
            except EOFError:
                process.join()
                done, message = False, f"exit code {process.exitcode}"
            (results if done else failures).append(message)
            if failures:
                break
    finally:
        for process, _ in started:
            if not failures:
                process.join(_TIMEOUT)
            if process.is_alive():
                process.kill()
            process.join()
    assert not failures, "\n".join(failures)
    assert [process.exitcode for process, _ in started] == [0] * len(started)
    return results


@contextmanager
def cluster(*tasks: str) -> Iterator[list[dict[str, str]]]:
    """Environments of processes that train together, on ports that stay reserved for them.

    Args:
        tasks: "chief" or "worker", one for each process.
    """
    with reserved(len(tasks)) as ports:
        addresses: dict[str, list[str]] = {}
        places = []
        for task, port in zip(tasks, ports, strict=True):
            of_kind = addresses.setdefault(task, [])
            places.append({"type": task, "index": len(of_kind)})
            of_kind.append(f"127.0.0.1:{port}")
        yield [
            {
                "TF_CONFIG": json.dumps({"cluster": addresses, "task": place}),
                # TensorFlow's own servers share a port only when set to.
                "TF_GRPC_REUSE_PORT": "true",
            }
            for place in places
        ]


def _run(sender: Connection, case: Callable[..., Any], call: dict[str, Any]) -> None:
    arguments = dict(call)
    os.environ.update(arguments.pop("environment", {}))
    try:
        sender.send((True, case(**arguments)))
    except BaseException:  # noqa: BLE001 - the parent fails with it
        sender.send((False, traceback.format_exc()))
