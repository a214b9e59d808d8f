"""The embedded server: TensorFlow Serving's REST and gRPC APIs on pushed models."""

import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import grpc
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from serving.server import tls
from serving.server.admission.batching_settings import BatchingSettings
from serving.server.admission.limits import MEBIBYTE, Limits
from serving.server.admission.request_memory import Allocator
from serving.server.core import Core
from serving.server.model_config import ModelConfig
from serving.server.protocols.rest import Rest
from serving.server.protocols.rpc import MODELS, PREDICTION, Rpc
from transform_module.errors import UserError

_LOG = logging.getLogger(__name__)

# aiohttp logs what is not HTTP with the bytes that came, which may hold names.
_HTTP_LOG = logging.getLogger(f"{__name__}.http")
_HTTP_LOG.addFilter(lambda record: not isinstance(_error_of(record), HttpProcessingError))

_SWITCH_SECONDS: Final = 0.0005
_COLLECTIONS: Final = (100_000, 50, 1000)

# Once no request has come for so long, a server that shall stop closes the connections left.
_QUIET_SECONDS: Final = 0.5

# How long a body is read on that was refused, so that its client comes to read the response.
_LINGERING_SECONDS: Final = 2.0

# Of the grace, so much is kept for closing what is open.
_CLOSING_SECONDS: Final = 0.5
_OVERDUE: Final = 1
"""The exit code where the grace has passed and something is still computed."""

_RESERVED_FILES: Final = 192
"""Files that the process may open beside connections: its libraries, models, logs and polls."""

_MEMORY_SECONDS: Final = 0.05
_GIVE_BACK_SECONDS: Final = 10.0
_GIVE_BACK_SHORT_SECONDS: Final = 0.2
_GIVE_BACK_BYTES: Final = 128 * MEBIBYTE


def _error_of(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


@dataclass(frozen=True)
class ServerSettings:
    """How models are served.

    Attributes:
        host: address to listen at.
        rest_port: of REST; 0 takes a free one.
        grpc_port: of gRPC; 0 takes a free one.
        batching: how requests are joined.
        limits: of all requests.
        ssl_config: a message of `tls.read`; None serves in the clear.
        poll_seconds: how often the folders of the versions are looked at.
        grace_seconds: how long a stopping server still serves requests.
        allow_unverified: whether a model is loaded that is not what was pushed.
    """

    host: str = "127.0.0.1"
    rest_port: int = 8501
    grpc_port: int = 8500
    batching: BatchingSettings = field(default_factory=BatchingSettings)
    limits: Limits = field(default_factory=Limits)
    ssl_config: Any = None
    poll_seconds: float = 1.0
    grace_seconds: float = 30.0
    allow_unverified: bool = False


@dataclass(frozen=True)
class Addresses:
    """Where a server listens.

    Attributes:
        rest: URL of REST and the page.
        grpc: address and port of gRPC.
    """

    rest: str
    grpc: str


def serve(
    models: list[ModelConfig],
    settings: ServerSettings,
    *,
    ready: Callable[[Addresses, Core], None],
) -> None:
    """Serves until SIGTERM or SIGINT, and then finishes what it has accepted.

    Args:
        models: what is served.
        settings: how.
        ready: is called once when every model has been loaded, or has failed to.

    Raises:
        UserError: it cannot listen, or the SSL configuration cannot be used.
    """
    # A version is loaded and unloaded in threads, mostly in Python. Requests shall not wait for
    # them: the interpreter changes threads sooner.
    sys.setswitchinterval(_SWITCH_SECONDS)
    # Nor for the collector, which passes over all of TensorFlow's objects where a request makes
    # many lists.
    gc.set_threshold(*_COLLECTIONS)
    asyncio.run(_serve(models, settings, ready))


async def _serve(
    models: list[ModelConfig],
    settings: ServerSettings,
    ready: Callable[[Addresses, Core], None],
) -> None:
    limits = replace(settings.limits, connections=_affordable(settings.limits.connections))
    core = Core(
        models, settings.batching, limits=limits, allow_unverified=settings.allow_unverified
    )
    stopped = asyncio.Event()
    grace = _Grace(settings.grace_seconds)

    def stop() -> None:
        if not stopped.is_set():
            grace.begin()
        stopped.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop)
    first = asyncio.Event()
    rest, rpc = Rest(core), Rpc(core)
    watching = [
        asyncio.create_task(_refresh_forever(core, settings.poll_seconds, first)),
        asyncio.create_task(rest.connections.watch()),
        asyncio.create_task(_watch_memory(core, rpc)),
    ]
    async with (
        _rest(rest, settings, limits, grace) as rest_address,
        _grpc(core, rpc, settings, first, grace) as grpc_address,
    ):
        await _first_of(first.wait(), stopped.wait())
        if not stopped.is_set():
            ready(Addresses(rest_address, grpc_address), core)
        await stopped.wait()
        _LOG.info("Stopping: finishing accepted requests.")
        rest.draining = True
    for task in watching:
        task.cancel()
    core.close()


class _Grace:
    """The time in which a server that shall stop finishes what it has accepted."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last_moment = 0.0

    def begin(self) -> None:
        """Ends the process after the grace, whatever it does: TensorFlow cannot be interrupted."""
        self._last_moment = time.monotonic() + self._seconds
        timer = threading.Timer(self._seconds, self._end)
        timer.daemon = True
        timer.start()

    def left(self) -> float:
        """Returns the seconds that are left for responses."""
        return max(self._last_moment - time.monotonic() - 2 * _CLOSING_SECONDS, 0)

    def _end(self) -> None:
        _LOG.warning("Stopped: the grace of %g s has passed.", self._seconds)
        logging.shutdown()
        os._exit(_OVERDUE)


def _affordable(connections: int) -> int:
    """Returns how many connections REST and gRPC may have each, so that some files are left."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return connections
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return connections
    return max(1, min(connections, (files - _RESERVED_FILES) // 2))


async def _watch_memory(core: Core, rpc: Rpc) -> None:
    """Refuses messages that arrive where the process has too much, and gives back what is free.

    gRPC reports the size of a message once it is there, so that no budget can be checked before.
    """
    allocator = Allocator()
    given_back, most = time.monotonic(), 0
    while True:
        await asyncio.sleep(_MEMORY_SECONDS)
        allocated, resident = allocator.allocated(), allocator.resident()
        if allocated > core.limits.process_bytes:
            rpc.refuse_arriving()
        most = max(most, allocated)
        # The memory of a batch is kept for the next one, unless there is too little.
        is_short = resident > core.limits.process_bytes
        free = resident - allocated if is_short else most - allocated
        seconds = _GIVE_BACK_SHORT_SECONDS if is_short else _GIVE_BACK_SECONDS
        if time.monotonic() - given_back > seconds and free > _GIVE_BACK_BYTES:
            await asyncio.to_thread(allocator.give_back)
            given_back, most = time.monotonic(), allocated


async def _refresh_forever(core: Core, seconds: float, first: asyncio.Event) -> None:
    while True:
        try:
            await core.refresh()
        except Exception:  # noqa: BLE001
            _LOG.exception("The versions could not be read; they are tried again soon")
        first.set()
        await asyncio.sleep(seconds)


async def _first_of(*awaitables: Any) -> None:
    tasks = [asyncio.ensure_future(each) for each in awaitables]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


@contextlib.asynccontextmanager
async def _rest(rest: Rest, settings: ServerSettings, limits: Limits, grace: _Grace) -> Any:
    context = tls.for_http(settings.ssl_config) if settings.ssl_config else None
    runner = web.AppRunner(
        rest.application(),
        handler_cancellation=True,
        shutdown_timeout=_CLOSING_SECONDS,
    )
    await runner.setup()
    if runner.server is None:
        raise RuntimeError("aiohttp has not made its server")
    factory = rest.connections.factory(
        runner.server,
        access_log=None,  # a path or a body is nobody's business
        logger=_HTTP_LOG,
        auto_decompress=False,  # `body.read` does
        keepalive_timeout=limits.idle_seconds,
        lingering_time=_LINGERING_SECONDS,
    )
    try:
        server = await asyncio.get_running_loop().create_server(
            factory,
            settings.host,
            settings.rest_port,
            ssl=context,
            ssl_handshake_timeout=limits.header_seconds if context else None,
            backlog=1024,
        )
    except OSError as error:
        await runner.cleanup()
        raise _cannot_listen("REST", settings.host, settings.rest_port, error) from error
    host, port = server.sockets[0].getsockname()[:2]
    yield f"{'https' if context else 'http'}://{_bracketed(host)}:{port}"
    server.close()
    while grace.left() and (
        rest.in_flight or time.monotonic() - rest.last_request < _QUIET_SECONDS
    ):
        await asyncio.sleep(0.05)
    await runner.cleanup()


@contextlib.asynccontextmanager
async def _grpc(
    core: Core, rpc: Rpc, settings: ServerSettings, first: asyncio.Event, grace: _Grace
) -> Any:
    # The number of calls is limited in `Rpc`, for predictions alone: health is always reported.
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", core.limits.body_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.max_allowed_incoming_connections", core.limits.connections),
            ("grpc.max_concurrent_streams", core.limits.requests),
            ("grpc.server_handshake_timeout_ms", core.limits.header_seconds * 1000),
            ("grpc.max_connection_idle_ms", core.limits.idle_seconds * 1000),
            # Of a message that is not read yet, no more than a small window is taken in.
            ("grpc.http2.bdp_probe", 0),
            ("grpc.so_reuseport", 0),
        ],
    )
    checks = health.aio.HealthServicer()
    rpc.add_to(server)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    reflection.enable_server_reflection(
        (
            PREDICTION.full_name,
            MODELS.full_name,
            health.SERVICE_NAME,
            reflection.SERVICE_NAME,
        ),
        server,
    )
    await checks.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
    address = f"{_bracketed(settings.host)}:{settings.grpc_port}"
    try:
        if settings.ssl_config:
            port = server.add_secure_port(address, tls.for_grpc(settings.ssl_config))
        else:
            port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise _cannot_listen("gRPC", settings.host, settings.grpc_port, error) from error
    await server.start()
    serving = asyncio.create_task(_report_health(core, checks, first, settings.poll_seconds))
    yield f"{_bracketed(settings.host)}:{port}"
    serving.cancel()
    await checks.enter_graceful_shutdown()
    await server.stop(grace.left())


async def _report_health(core: Core, checks: Any, first: asyncio.Event, seconds: float) -> None:
    await first.wait()
    while True:
        state = health_pb2.HealthCheckResponse.ServingStatus.Value(
            "SERVING" if core.is_ready() else "NOT_SERVING"
        )
        await checks.set("", state)
        await asyncio.sleep(seconds)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _cannot_listen(what: str, host: str, port: int, error: Exception) -> UserError:
    return UserError(
        f"{what} cannot listen at {host}:{port}: {error}. Choose another port; 0 takes a free one."
    )


def write_ready_file(path: Path, addresses: Addresses) -> None:
    """Reports to other programs where a server listens, in a file that appears whole."""
    unfinished = path.with_name(f"{path.name}.tmp")
    unfinished.write_text(json.dumps({"rest": addresses.rest, "grpc": addresses.grpc}))
    unfinished.rename(path)
