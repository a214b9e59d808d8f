"""The clients: one blocking, one for an event loop."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from serving.client import address as endpoints
from serving.client.address import MAXIMUM_IMAGE, Endpoint, Tls
from serving.client.attempts import Attempts
from serving.client.call_errors import ClientError, Refused
from serving.client.responses import Metadata, VersionStatus
from serving.client.transport import AsyncTransport, Call, Result, Transport
from serving.images.encoding.encoding import images_of
from serving.model import Prediction
from serving.predict.files import Content, FilePrediction, batches, find, predict_batch, read_image


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
    """Makes a client. It connects with its first call, and goes straight, through no proxy.

    Args:
        url: ``http://HOST:8501`` or ``https://HOST`` for REST, with any path before ``/v1``;
            ``grpc://HOST:8500`` or ``grpcs://HOST:8500`` for gRPC.
        model: the model's name on the server.
        version: one of its versions; without it and a label, the latest one is used.
        label: names a version.
        timeout: seconds for a whole call, repetitions and the pauses between them included.
        retries: how often a call is made again where the connection could not be made or broke, or
            where the server has no time (429, 503, RESOURCE_EXHAUSTED, UNAVAILABLE). Any call may
            be: it changes nothing on the server.
        tls: the files of an encrypted connection.

    Raises:
        UserError: the URL is invalid, or a file cannot be used.
    """
    endpoint = endpoints.parse(
        url, model=model, version=version, label=label, timeout=timeout, tls=tls
    )
    return Client(_transport(endpoint), endpoint, retries)


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
    """Makes a client for one event loop; see `connect`."""
    endpoint = endpoints.parse(
        url, model=model, version=version, label=label, timeout=timeout, tls=tls
    )
    return AsyncClient(_async_transport(endpoint), endpoint, retries)


# Imported here, because gRPC's messages bring TensorFlow along.
def _transport(endpoint: Endpoint) -> Transport:
    if endpoint.is_rest:
        from serving.client.rest import Rest

        return Rest(endpoint)
    from serving.client.rpc import Rpc

    return Rpc(endpoint)


def _async_transport(endpoint: Endpoint) -> AsyncTransport:
    if endpoint.is_rest:
        from serving.client.rest import AsyncRest

        return AsyncRest(endpoint)
    from serving.client.rpc import AsyncRpc

    return AsyncRpc(endpoint)


class Client:
    """A served model. Several threads may share it; see `connect`."""

    def __init__(self, transport: Transport, endpoint: Endpoint, retries: int) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self._retries = retries

    def predict(self, images: Sequence[bytes]) -> list[Prediction]:
        """Predicts images, in one request.

        Args:
            images: the contents of image files; one that is broken does not touch the others.
                Those that no model decodes, such as TIFF or DICOM, are encoded anew here, so that
                any server takes them.

        Returns:
            One prediction an image, in their order.

        Raises:
            ClientError: there is no response; the classes in `serving.client.call_errors` say why.
        """
        return self._make(self._transport.predict(images_of(images))) if images else []

    def predict_in_parts(self, images: Sequence[bytes]) -> list[Prediction]:
        """Predicts images, in halves where a server refuses all in one request.

        Servers bound the bytes, the rows and the pixels of a request, and do not report the bounds.

        Args:
            images: see `predict`.

        Returns:
            See `predict`.

        Raises:
            ClientError: see `predict`; `Refused` where an image is refused alone.
        """
        try:
            return self.predict(images)
        except Refused:
            if len(images) < 2:
                raise
        half = len(images) // 2
        return [*self.predict_in_parts(images[:half]), *self.predict_in_parts(images[half:])]

    def predict_files(self, paths: Sequence[Path]) -> Iterator[list[FilePrediction]]:
        """Predicts files, and the files of folders at any depth, a batch at a time.

        Args:
            paths: files and folders.

        Yields:
            Up to 32 predictions, in the order of the paths, within a folder by name. A file that
            is not a readable image has its reason.

        Raises:
            UserError: there is no file, or no response; see `predict`.
        """
        for batch in _read(paths):
            yield list(predict_batch(self.predict_in_parts, batch))

    def status(self) -> list[VersionStatus]:
        """Returns the state of the versions that the server knows; raises as `predict`."""
        return self._make(self._transport.status())

    def metadata(self) -> Metadata:
        """Returns what the model takes and gives; raises as `predict`."""
        return self._make(self._transport.metadata())

    def close(self) -> None:
        """Ends the connections."""
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

    def _make(self, call: Call[Result]) -> Result:
        attempts = Attempts(self._endpoint.timeout, self._retries)
        while True:
            try:
                return self._transport.send(call, attempts.left())
            except ClientError as error:
                pause = attempts.pause_after(error)
            time.sleep(pause)


class AsyncClient:
    """A client for one event loop; see `connect_async`, and `Client` for the rest."""

    def __init__(self, transport: AsyncTransport, endpoint: Endpoint, retries: int) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self._retries = retries

    async def predict(self, images: Sequence[bytes]) -> list[Prediction]:
        """Predicts images, in one request."""
        if not images:
            return []
        encoded = await asyncio.to_thread(images_of, images)
        return await self._make(self._transport.predict(encoded))

    async def predict_in_parts(self, images: Sequence[bytes]) -> list[Prediction]:
        """Predicts images, in halves where a server refuses all in one request."""
        try:
            return await self.predict(images)
        except Refused:
            if len(images) < 2:
                raise
        half = len(images) // 2
        first = await self.predict_in_parts(images[:half])
        return [*first, *await self.predict_in_parts(images[half:])]

    async def predict_files(self, paths: Sequence[Path]) -> AsyncIterator[list[FilePrediction]]:
        """Predicts files, and the files of folders at any depth, a batch at a time."""
        contents = _read(paths)
        while batch := await asyncio.to_thread(next, contents, None):
            images = [content for _, content in batch if isinstance(content, bytes)]
            predictions = await self.predict_in_parts(images)
            yield await asyncio.to_thread(_rows, predictions, batch)

    async def status(self) -> list[VersionStatus]:
        """Returns the state of the versions that the server knows."""
        return await self._make(self._transport.status())

    async def metadata(self) -> Metadata:
        """Returns what the model takes and gives."""
        return await self._make(self._transport.metadata())

    async def close(self) -> None:
        """Ends the connections."""
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

    async def _make(self, call: Call[Result]) -> Result:
        attempts = Attempts(self._endpoint.timeout, self._retries)
        while True:
            try:
                return await self._transport.send(call, attempts.left())
            except ClientError as error:
                pause = attempts.pause_after(error)
            await asyncio.sleep(pause)


def _read(paths: Sequence[Path]) -> Iterator[list[Content]]:
    yield from batches((file, read_image(file, MAXIMUM_IMAGE)) for file in find(paths))


def _rows(predictions: list[Prediction], batch: Sequence[Content]) -> list[FilePrediction]:
    return list(predict_batch(lambda _: predictions, batch))
