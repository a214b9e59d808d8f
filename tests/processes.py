"""Cases that need processes of their own, such as workers: forked from one that has imported all.

What a process sets before TensorFlow starts (devices, servers) is set for good, and to import
TensorFlow takes many seconds.
"""

import json
import multiprocessing
import os
import socket
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

_TIMEOUT = 300


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
                done, told = receiver.recv() if receiver.poll(_TIMEOUT) else (False, "it hangs")
            except EOFError:
                process.join()
                done, told = False, f"exit code {process.exitcode}"
            (results if done else failures).append(told)
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
    sockets = [socket.socket() for _ in tasks]
    try:
        for each in sockets:
            # Bound and never listening, it keeps the port from all others, and shares it with who
            # asks for the same.
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            each.bind(("", 0))
        addresses: dict[str, list[str]] = {}
        places = []
        for task, each in zip(tasks, sockets, strict=True):
            of_kind = addresses.setdefault(task, [])
            places.append({"type": task, "index": len(of_kind)})
            of_kind.append(f"127.0.0.1:{each.getsockname()[1]}")
        yield [
            {
                "TF_CONFIG": json.dumps({"cluster": addresses, "task": place}),
                "TF_GRPC_REUSE_PORT": "true",
            }
            for place in places
        ]
    finally:
        for each in sockets:
            each.close()


def _run(sender: Connection, case: Callable[..., Any], call: dict[str, Any]) -> None:
    arguments: Sequence[tuple[str, Any]] = [item for item in call.items() if item[0] != "environment"]
    os.environ.update(call.get("environment", {}))
    try:
        sender.send((True, case(**dict(arguments))))
    except BaseException:
        sender.send((False, traceback.format_exc()))
