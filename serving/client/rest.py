"""Requests over REST, on httpx."""

import asyncio
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx

from components.errors import UserError
from serving.client import wire
from serving.client.wire import Again, Endpoint, Tls, VersionStatus
from serving.model import Answer


class Rest:
    """The blocking way; `Again` and `TimeoutError` are for the client that uses it."""

    def __init__(self, endpoint: Endpoint, tls: Tls) -> None:
        self._endpoint = endpoint
        self._client = httpx.Client(**_http_options(endpoint, tls))

    def predict(self, images: Sequence[bytes], timeout: float) -> list[Answer]:
        """Sends pictures once."""
        path = f"{self._endpoint.model_path}:predict"
        content = self._send("POST", path, wire.rest_body(images), timeout)
        return wire.rest_answers(content, self._endpoint, len(images))

    def status(self, timeout: float) -> list[VersionStatus]:
        """Asks for the state of the versions once."""
        return wire.rest_status(self._send("GET", self._endpoint.model_path, None, timeout))

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _send(self, method: str, path: str, body: bytes | None, timeout: float) -> bytes:
        with _sorted_errors(self._endpoint):
            response = self._client.request(method, path, content=body, timeout=timeout)
        return _content(response, self._endpoint)


class AsyncRest:
    """The asynchronous way; see `Rest`."""

    def __init__(self, endpoint: Endpoint, tls: Tls) -> None:
        self._endpoint = endpoint
        self._client = httpx.AsyncClient(**_http_options(endpoint, tls))

    async def predict(self, images: Sequence[bytes], timeout: float) -> list[Answer]:
        """Sends pictures once."""
        path = f"{self._endpoint.model_path}:predict"
        content = await self._send("POST", path, wire.rest_body(images), timeout)
        return wire.rest_answers(content, self._endpoint, len(images))

    async def status(self, timeout: float) -> list[VersionStatus]:
        """Asks for the state of the versions once."""
        return wire.rest_status(await self._send("GET", self._endpoint.model_path, None, timeout))

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def _send(self, method: str, path: str, body: bytes | None, timeout: float) -> bytes:
        async with asyncio.timeout(timeout):
            with _sorted_errors(self._endpoint):
                response = await self._client.request(method, path, content=body, timeout=timeout)
        return _content(response, self._endpoint)


@contextmanager
def _sorted_errors(endpoint: Endpoint) -> Iterator[None]:
    """Sorts httpx's errors into late, to be sent again, and final."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise TimeoutError from error
    except httpx.TransportError as error:
        failure = wire.unreachable(endpoint, error)
        if "CERTIFICATE" in str(error).upper():
            raise failure from error
        raise Again(failure) from error


def _http_options(endpoint: Endpoint, tls: Tls) -> dict[str, Any]:
    options: dict[str, Any] = {"base_url": endpoint.url, "trust_env": False}
    if endpoint.is_encrypted:
        try:
            context = ssl.create_default_context(cafile=tls.authority)
            if tls.certificate:
                context.load_cert_chain(tls.certificate, tls.key)
        except (OSError, ssl.SSLError) as error:
            raise UserError(f"A file of the encryption cannot be used: {error}") from error
        options["verify"] = context
    return options


def _content(response: httpx.Response, endpoint: Endpoint) -> bytes:
    if response.status_code == 200:
        return response.content
    failure = wire.rest_failure(response.status_code, response.content, endpoint)
    if response.status_code in wire.RETRIED_STATUSES:
        told = response.headers.get("retry-after", "")
        raise Again(failure, float(told) if told.isdecimal() else None)
    raise failure
