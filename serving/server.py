"""The embedded server: TensorFlow Serving's REST and gRPC APIs on pushed models."""

import asyncio
import contextlib
import json
import logging
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import grpc
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from components.errors import UserError
from serving import tls
from serving.batching_settings import BatchingSettings
from serving.body import MAXIMUM_BODY
from serving.core import Core
from serving.model_config import ModelConfig
from serving.rest import MAXIMUM_IN_FLIGHT, Rest
from serving.rpc import ModelService, PredictionService

_LOG = logging.getLogger(__name__)

# aiohttp logs what is no HTTP with the bytes that came, which may hold names.
_HTTP_LOG = logging.getLogger(f"{__name__}.http")
_HTTP_LOG.addFilter(lambda record: not isinstance(_error_of(record), HttpProcessingError))

_SWITCH_SECONDS: Final = 0.0005

# Once nobody has asked for so long, a server that shall stop closes the connections left.
_QUIET_SECONDS: Final = 0.5


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
        ssl_config: a message of `tls.read`; None serves in the clear.
        poll_seconds: how often the folders of the versions are looked at.
        grace_seconds: how long a server that shall stop goes on answering.
        allow_unverified: whether a model is loaded that is not what was pushed.
    """

    host: str = "127.0.0.1"
    rest_port: int = 8501
    grpc_port: int = 8500
    batching: BatchingSettings = field(default_factory=BatchingSettings)
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
    """Serves until SIGTERM or SIGINT, and then answers what it has accepted.

    Args:
        models: what is served.
        settings: how.
        ready: is called once when every model has been loaded, or has failed to.

    Raises:
        UserError: it cannot listen, or the SSL configuration is no good.
    """
    # A version is loaded and unloaded in threads, mostly in Python. Requests shall not wait for
    # them: the interpreter changes threads sooner.
    sys.setswitchinterval(_SWITCH_SECONDS)
    asyncio.run(_serve(models, settings, ready))


async def _serve(
    models: list[ModelConfig],
    settings: ServerSettings,
    ready: Callable[[Addresses, Core], None],
) -> None:
    core = Core(models, settings.batching, allow_unverified=settings.allow_unverified)
    stopped = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    first = asyncio.Event()
    refreshing = asyncio.create_task(_refresh_forever(core, settings.poll_seconds, first))
    rest = Rest(core)
    async with _rest(rest, settings) as rest_address, _grpc(core, settings, first) as grpc_address:
        await _first_of(first.wait(), stopped.wait())
        if not stopped.is_set():
            ready(Addresses(rest_address, grpc_address), core)
        await stopped.wait()
        _LOG.info("Stopping: answering what was accepted.")
        rest.draining = True
    refreshing.cancel()
    core.close()


async def _refresh_forever(core: Core, seconds: float, first: asyncio.Event) -> None:
    while True:
        try:
            await core.refresh()
        except Exception:  # noqa: BLE001
            _LOG.exception("The versions could not be looked at; they are again soon")
        first.set()
        await asyncio.sleep(seconds)


async def _first_of(*awaitables: Any) -> None:
    tasks = [asyncio.ensure_future(each) for each in awaitables]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


@contextlib.asynccontextmanager
async def _rest(rest: Rest, settings: ServerSettings) -> Any:
    context = tls.for_http(settings.ssl_config) if settings.ssl_config else None
    runner = web.AppRunner(
        rest.application(),
        access_log=None,  # a path or a body is nobody's business
        logger=_HTTP_LOG,
        auto_decompress=False,  # `body.read` does
        handler_cancellation=True,
        shutdown_timeout=settings.grace_seconds,
    )
    await runner.setup()
    site = web.TCPSite(runner, settings.host, settings.rest_port, ssl_context=context, backlog=1024)
    try:
        await site.start()
    except OSError as error:
        await runner.cleanup()
        raise _cannot_listen("REST", settings.host, settings.rest_port, error) from error
    host, port = runner.addresses[0][:2]
    yield f"{'https' if context else 'http'}://{_bracketed(host)}:{port}"
    await site.stop()
    last_moment = time.monotonic() + settings.grace_seconds
    while time.monotonic() < last_moment and (
        rest.in_flight or time.monotonic() - rest.last_request < _QUIET_SECONDS
    ):
        await asyncio.sleep(0.05)
    await runner.cleanup()


@contextlib.asynccontextmanager
async def _grpc(core: Core, settings: ServerSettings, first: asyncio.Event) -> Any:
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", MAXIMUM_BODY),
            ("grpc.max_send_message_length", MAXIMUM_BODY),
            ("grpc.so_reuseport", 0),
        ],
        maximum_concurrent_rpcs=MAXIMUM_IN_FLIGHT,
    )
    checks = health.aio.HealthServicer()
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(core), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(core), server)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    reflection.enable_server_reflection(
        (
            "tensorflow.serving.PredictionService",
            "tensorflow.serving.ModelService",
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
    serving = asyncio.create_task(_tell_health(core, checks, first, settings.poll_seconds))
    yield f"{_bracketed(settings.host)}:{port}"
    serving.cancel()
    await checks.enter_graceful_shutdown()
    await server.stop(settings.grace_seconds)


async def _tell_health(core: Core, checks: Any, first: asyncio.Event, seconds: float) -> None:
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
    """Tells other programs where a server listens, in a file that appears whole."""
    unfinished = path.with_name(f"{path.name}.tmp")
    unfinished.write_text(json.dumps({"rest": addresses.rest, "grpc": addresses.grpc}))
    unfinished.rename(path)
