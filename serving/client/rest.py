"""REST, on httpcore: the engine of httpx, which alone lets a blocking call keep a deadline.

A timeout of httpx is one of each read and write, so that a slow line could take forever.
"""

import asyncio
import base64
import contextlib
import email.utils
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import httpcore

from serving.client import responses
from serving.client.address import MESSAGE_BYTES, RESPONSE_BYTES, Endpoint
from serving.client.responses import Metadata, VersionStatus
from serving.client.transport import Call, Result
from serving.model import Prediction
from transform_module import contract

_CONNECTIONS: Final = 100
_PIECE: Final = 64 * 1024


class _RestCalls:
    """The calls, with the part of the URL that follows the model's as their method."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def predict(self, images: Sequence[bytes]) -> Call[list[Prediction]]:
        encoded = b'"},{"b64":"'.join(map(base64.b64encode, images))
        body = b'{"signature_name":"%b","inputs":{"%b":[{"b64":"%b"}]}}' % (
            contract.SERVING_DEFAULT.encode(),
            contract.IMAGE_BYTES.encode(),
            encoded,
        )
        if len(body) > MESSAGE_BYTES:
            raise self._endpoint.too_large(len(body))
        return Call(":predict", body, lambda content: self._predictions(content, len(images)))

    def status(self) -> Call[list[VersionStatus]]:
        return Call("", None, self._status)

    def metadata(self) -> Call[Metadata]:
        return Call("/metadata", None, self._metadata)

    def _predictions(self, content: bytes, count: int) -> list[Prediction]:
        with self._understood():
            outputs = json.loads(content)["outputs"]
            # A model with a single output gives its values without a name.
            named = outputs if isinstance(outputs, dict) else {}
            return responses.predictions(self._endpoint, named, count)

    def _status(self, content: bytes) -> list[VersionStatus]:
        with self._understood():
            return [
                VersionStatus(int(each["version"]), each["state"], each["status"]["error_message"])
                for each in json.loads(content)["model_version_status"]
            ]

    def _metadata(self, content: bytes) -> Metadata:
        with self._understood():
            parsed = json.loads(content)
            return responses.metadata(
                parsed["model_spec"]["name"],
                int(parsed["model_spec"]["version"]),
                parsed["metadata"]["signature_def"]["signature_def"],
            )

    @contextlib.contextmanager
    def _understood(self) -> Iterator[None]:
        try:
            yield
        # What may be in any JSON: other types, and lists in lists without end.
        except (
            *(AttributeError, KeyError, TypeError, ValueError),
            *(OverflowError, RecursionError),
        ) as error:
            raise self._endpoint.not_ours("its response is not TensorFlow Serving's") from error

    def _request(self, call: Call[Result]) -> dict[str, Any]:
        return {
            "method": "GET" if call.message is None else "POST",
            "url": f"{self._endpoint.model_url}{call.method}",
            "headers": {"Content-Type": "application/json"},
            "content": call.message,
        }

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        """Words what goes wrong on the way."""
        try:
            yield
        except (TimeoutError, httpcore.TimeoutException) as error:
            raise self._endpoint.late() from error
        except (OSError, httpcore.NetworkError, httpcore.RemoteProtocolError) as error:
            cause = _first_cause(error)
            if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError):
                raise self._endpoint.tls_failed(cause) from error
            raise self._endpoint.unreachable(cause) from error

    def _append(self, content: bytearray, part: bytes) -> None:
        """Takes a part of a response, as long as it is not too long."""
        if len(content) + len(part) > RESPONSE_BYTES:
            raise self._endpoint.too_long()
        content += part

    def _content(self, response: httpcore.Response, content: bytes) -> bytes:
        if response.status == 200:
            return content
        said = _said(content)
        if response.status in (429, 503):
            raise self._endpoint.busy(said, _retry_after(response))
        if response.status == 404:
            raise self._endpoint.unknown(said)
        if response.status == 504:
            raise self._endpoint.late()
        raise self._endpoint.refused(f"{response.status}, {said}")


class Rest(_RestCalls):
    """Connections that are used again and again; see `transport.Transport`."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._clock = _Clock()
        self._pool = httpcore.ConnectionPool(
            ssl_context=endpoint.tls.context() if endpoint.is_encrypted else None,
            max_connections=_CONNECTIONS,
            network_backend=_Network(self._clock),
        )

    def send(self, call: Call[Result], seconds: float) -> Result:
        """Makes one attempt at a call."""
        self._clock.deadline = time.monotonic() + seconds
        content = bytearray()
        with (
            self._failures(),
            self._pool.stream(
                **self._request(call), extensions={"timeout": {"pool": seconds}}
            ) as response,
        ):
            for part in response.iter_stream():
                self._append(content, part)
        return call.read(self._content(response, bytes(content)))

    def close(self) -> None:
        """Ends the connections."""
        self._pool.close()


class AsyncRest(_RestCalls):
    """The same for an event loop; see `transport.AsyncTransport`."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=endpoint.tls.context() if endpoint.is_encrypted else None,
            max_connections=_CONNECTIONS,
        )

    async def send(self, call: Call[Result], seconds: float) -> Result:
        """Makes one attempt at a call."""
        content = bytearray()
        with self._failures():
            async with (
                asyncio.timeout(seconds),
                self._pool.stream(**self._request(call)) as response,
            ):
                async for part in response.aiter_stream():
                    self._append(content, part)
        return call.read(self._content(response, bytes(content)))

    async def close(self) -> None:
        """Ends the connections."""
        await self._pool.aclose()


class _Clock(threading.local):
    """The deadline of the call that a thread makes."""

    deadline = 0.0

    def left(self, late: type[httpcore.TimeoutException]) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise late
        return left


class _Network(httpcore.NetworkBackend):
    """Connections that keep the deadline."""

    def __init__(self, clock: _Clock) -> None:
        self._clock = clock
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(error) from error
        # One at a time, because each may take as long as it is given.
        for number, (*_, address) in enumerate(found, 1):
            left = self._clock.left(httpcore.ConnectTimeout)
            try:
                return _Stream(self._network.connect_tcp(str(address[0]), port, left), self._clock)
            except httpcore.ConnectError:
                if number == len(found):
                    raise
        raise httpcore.ConnectError(f"{host} has no address")


class _Stream(httpcore.NetworkStream):
    """A connection; a deadline stands for every timeout."""

    def __init__(self, stream: httpcore.NetworkStream, clock: _Clock) -> None:
        self._stream = stream
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._clock.left(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PIECE):
            left = self._clock.left(httpcore.WriteTimeout)
            self._stream.write(buffer[start : start + _PIECE], left)

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._clock.left(httpcore.ConnectTimeout)
        stream = self._stream.start_tls(ssl_context, server_hostname, left)
        return _Stream(stream, self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        self._stream.close()


def _first_cause(error: BaseException) -> BaseException:
    """Finds what happened, of which the libraries' own errors say less."""
    while True:
        # httpcore cuts the chain of causes, but holds the first as an argument.
        cause = error.__cause__ or next(iter(error.args), None)
        if not isinstance(cause, BaseException):
            return error
        error = cause


def _said(content: bytes) -> str:
    """Takes the message of an error."""
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        return content.decode(errors="replace")
    return str(parsed.get("error", parsed)) if isinstance(parsed, dict) else str(parsed)


def _retry_after(response: httpcore.Response) -> float | None:
    """Reads how long a server wants no call: seconds or a date."""
    for name, value in response.headers:
        if name.lower() == b"retry-after":
            text = value.decode("ascii", "replace").strip()
            if text.isdecimal():
                return float(text)
            with contextlib.suppress(ValueError, OverflowError):
                return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    return None
