"""A client of a served model: REST or gRPC by the URL, blocking or asynchronous.

    with connect("grpc://127.0.0.1:8500") as client:
        (answer,) = client.predict([Path("xray.jpeg").read_bytes()])

It asks the embedded server and TensorFlow Serving alike. Predicting changes nothing on the server,
so what was not answered may be asked again: a connection that could not be made or broke, and a
server that is full or not ready. Nothing else is.
"""

import asyncio
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Self

from serving.client import wire
from serving.client.wire import Again, Endpoint, Tls, VersionStatus
from serving.model import Answer

MAXIMUM_PICTURE: Final = 45 * 1024 * 1024
"""Bytes of a picture; a larger one is, in base64, more than the embedded server reads."""

__all__ = [
    "MAXIMUM_PICTURE",
    "AsyncClient",
    "Client",
    "Tls",
    "VersionStatus",
    "connect",
    "connect_async",
]


def connect(
    url: str,
    *,
    model: str = "chest_xray",
    version: int | None = None,
    label: str | None = None,
    timeout: float = 30.0,
    retries: int = 3,
    tls: Tls | None = None,
) -> "Client":
    """Makes a client. Nothing is sent yet.

    Args:
        url: http://HOST:PORT or https://… for REST, grpc://HOST:PORT or grpcs://… for gRPC.
        model: the model's name.
        version: one of it; without it and a label the latest answers.
        label: names a version.
        timeout: seconds for a whole call, what is sent again included.
        retries: how often a request is sent again.
        tls: files of an encrypted connection.

    Raises:
        UserError: the URL is none, or a file of ``tls`` cannot be used.
    """
    endpoint = Endpoint.of(url, model, version, label)
    make: Any
    if endpoint.is_rest:
        from serving.client.rest import Rest as make
    else:
        from serving.client.rpc import Rpc as make
    return Client(make(endpoint, tls or Tls()), endpoint, timeout, retries)


def connect_async(
    url: str,
    *,
    model: str = "chest_xray",
    version: int | None = None,
    label: str | None = None,
    timeout: float = 30.0,
    retries: int = 3,
    tls: Tls | None = None,
) -> "AsyncClient":
    """Makes an asynchronous client, to be used in one event loop; see `connect`."""
    endpoint = Endpoint.of(url, model, version, label)
    make: Any
    if endpoint.is_rest:
        from serving.client.rest import AsyncRest as make
    else:
        from serving.client.rpc import AsyncRpc as make
    return AsyncClient(make(endpoint, tls or Tls()), endpoint, timeout, retries)


class Client:
    """A blocking client; several threads may share it. See `connect`."""

    def __init__(self, transport: Any, endpoint: Endpoint, timeout: float, retries: int) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self._timeout = timeout
        self._retries = retries

    def predict(self, images: Sequence[bytes]) -> list[Answer]:
        """Asks about pictures.

        Args:
            images: encoded pictures; a broken one does not touch the others.

        Returns:
            One answer a picture.

        Raises:
            UserError: the server cannot be reached, refuses, is late or serves another model.
        """
        return self._call(self._transport.predict, images) if images else []

    def status(self) -> list[VersionStatus]:
        """Tells the state of the model's versions; raises as `predict`."""
        return self._call(self._transport.status)

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _call(self, send: Any, *arguments: Any) -> Any:
        deadline = time.monotonic() + self._timeout
        for attempt in range(self._retries + 1):
            left = deadline - time.monotonic()
            if left <= 0:
                break
            try:
                return send(*arguments, left)
            except TimeoutError:
                break
            except Again as again:
                wait = wire.wait_before(attempt, again.wait)
                if attempt == self._retries or time.monotonic() + wait >= deadline:
                    raise again.failure from again
                time.sleep(wait)
        raise wire.late(self._endpoint, self._timeout)


class AsyncClient:
    """An asynchronous client. See `connect_async`."""

    def __init__(self, transport: Any, endpoint: Endpoint, timeout: float, retries: int) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self._timeout = timeout
        self._retries = retries

    async def predict(self, images: Sequence[bytes]) -> list[Answer]:
        """Asks about pictures; see `Client.predict`."""
        return await self._call(self._transport.predict, images) if images else []

    async def status(self) -> list[VersionStatus]:
        """Tells the state of the model's versions."""
        return await self._call(self._transport.status)

    async def close(self) -> None:
        """Closes the connections."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _call(self, send: Any, *arguments: Any) -> Any:
        deadline = time.monotonic() + self._timeout
        for attempt in range(self._retries + 1):
            left = deadline - time.monotonic()
            if left <= 0:
                break
            try:
                return await send(*arguments, left)
            except TimeoutError:
                break
            except Again as again:
                wait = wire.wait_before(attempt, again.wait)
                if attempt == self._retries or time.monotonic() + wait >= deadline:
                    raise again.failure from again
                await asyncio.sleep(wait)
        raise wire.late(self._endpoint, self._timeout)
