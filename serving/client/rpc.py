"""Requests over gRPC. Its stubs import TensorFlow, so that this module is imported where needed."""

from collections.abc import Sequence
from typing import Any, Final

import grpc
import grpc.aio
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    prediction_service_pb2_grpc,
)

from components.errors import UserError
from serving.client import wire
from serving.client.wire import Again, Endpoint, Tls, VersionStatus
from serving.model import Answer

MAXIMUM_MESSAGE: Final = 64 * 1024 * 1024
"""Bytes of a message, as on the embedded server."""


class Rpc:
    """The blocking way; `Again` and `TimeoutError` are for the client that uses it."""

    def __init__(self, endpoint: Endpoint, tls: Tls) -> None:
        self._endpoint = endpoint
        self._channel = _channel(grpc, endpoint, tls)
        self._prediction = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)

    def predict(self, images: Sequence[bytes], timeout: float) -> list[Answer]:
        """Sends pictures once."""
        request = wire.grpc_request(images, self._endpoint)
        response = self._send(self._prediction.Predict, request, timeout)
        return wire.grpc_answers(response, self._endpoint, len(images))

    def status(self, timeout: float) -> list[VersionStatus]:
        """Asks for the state of the versions once."""
        request = _status_request(self._endpoint)
        return wire.grpc_status(self._send(self._models.GetModelStatus, request, timeout))

    def close(self) -> None:
        """Closes the connections."""
        self._channel.close()

    def _send(self, method: Any, request: Any, timeout: float) -> Any:
        try:
            return method(request, timeout=timeout)
        except grpc.RpcError as error:
            raise _rpc_failure(error, self._endpoint) from error


class AsyncRpc:
    """The asynchronous way; see `Rpc`."""

    def __init__(self, endpoint: Endpoint, tls: Tls) -> None:
        self._endpoint = endpoint
        self._channel = _channel(grpc.aio, endpoint, tls)
        self._prediction = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)

    async def predict(self, images: Sequence[bytes], timeout: float) -> list[Answer]:
        """Sends pictures once."""
        request = wire.grpc_request(images, self._endpoint)
        response = await self._send(self._prediction.Predict, request, timeout)
        return wire.grpc_answers(response, self._endpoint, len(images))

    async def status(self, timeout: float) -> list[VersionStatus]:
        """Asks for the state of the versions once."""
        request = _status_request(self._endpoint)
        return wire.grpc_status(await self._send(self._models.GetModelStatus, request, timeout))

    async def close(self) -> None:
        """Closes the connections."""
        await self._channel.close()

    async def _send(self, method: Any, request: Any, timeout: float) -> Any:
        try:
            return await method(request, timeout=timeout)
        except grpc.RpcError as error:
            raise _rpc_failure(error, self._endpoint) from error


def _channel(module: Any, endpoint: Endpoint, tls: Tls) -> Any:
    options = [
        ("grpc.max_receive_message_length", MAXIMUM_MESSAGE),
        ("grpc.max_send_message_length", MAXIMUM_MESSAGE),
        ("grpc.enable_http_proxy", 0),
        # A server that comes back is found at once, and not after a minute.
        ("grpc.max_reconnect_backoff_ms", 1000),
    ]
    if not endpoint.is_encrypted:
        return module.insecure_channel(endpoint.address, options=options)
    try:
        authority, key, certificate = (
            path.read_bytes() if path else None
            for path in (tls.authority, tls.key, tls.certificate)
        )
    except OSError as error:
        raise UserError(f"A file of the encryption cannot be used: {error}") from error
    credentials = grpc.ssl_channel_credentials(authority, key, certificate)
    return module.secure_channel(endpoint.address, credentials, options=options)


def _status_request(endpoint: Endpoint) -> Any:
    return get_model_status_pb2.GetModelStatusRequest(model_spec=wire.grpc_spec(endpoint))


def _rpc_failure(error: Any, endpoint: Endpoint) -> Exception:
    code, details = error.code().name, error.details()
    if code == "DEADLINE_EXCEEDED":
        return TimeoutError()
    if code == "UNAVAILABLE":
        failure = wire.unreachable(endpoint, details)
    else:
        failure = wire.failure(endpoint, f"answers {code}: {details}")
    return Again(failure) if code in wire.RETRIED_CODES else failure
