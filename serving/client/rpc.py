"""gRPC. Importing this imports TensorFlow, which its messages are made with."""

from collections.abc import Sequence
from typing import Any, Final

import grpc
import tensorflow as tf
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.client import responses
from serving.client.address import MESSAGE_BYTES, RESPONSE_BYTES, Endpoint
from serving.client.call_errors import ClientError
from serving.client.responses import Metadata, VersionStatus
from serving.client.transport import Call, Result
from serving.model import Prediction
from transform_module import contract

_SIGNATURES: Final = "signature_def"
_PUSHBACK: Final = "grpc-retry-pushback-ms"
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", RESPONSE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    ("grpc.enable_http_proxy", 0),
    # Of all servers that a name has, as a headless Service of Kubernetes has them; else one is
    # retried for ever.
    ("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}]}'),
    # Between attempts to connect; the usual second and more would outlast all retries.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 250),
)
# gRPC distinguishes by words alone which of the two bounds was met, and why no connection was made.
_TOO_LONG: Final = "Received message larger than max"
_TLS_FAILURES: Final = ("SSL_ERROR_SSL", "Verification Check failed")


class _RpcCalls:
    """The calls, with their names in the services as their method."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._credentials = _credentials(endpoint) if endpoint.is_encrypted else None

    def predict(self, images: Sequence[bytes]) -> Call[list[Prediction]]:
        request = predict_pb2.PredictRequest(model_spec=self._spec())
        request.model_spec.signature_name = contract.SERVING_DEFAULT
        # `tf.make_tensor_proto` would make an array of the images first.
        tensor = request.inputs[contract.IMAGE_BYTES]
        tensor.dtype = types_pb2.DT_STRING
        tensor.tensor_shape.dim.add(size=len(images))
        tensor.string_val.extend(images)
        if request.ByteSize() > MESSAGE_BYTES:
            raise self._endpoint.too_large(request.ByteSize())
        return Call("Predict", request, lambda response: self._predictions(response, len(images)))

    def status(self) -> Call[list[VersionStatus]]:
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=self._spec())
        return Call("GetModelStatus", request, self._statuses)

    def metadata(self) -> Call[Metadata]:
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=self._spec(), metadata_field=[_SIGNATURES]
        )
        return Call("GetModelMetadata", request, self._metadata)

    def _spec(self) -> model_pb2.ModelSpec:
        spec = model_pb2.ModelSpec(name=self._endpoint.model)
        if self._endpoint.version is not None:
            spec.version.value = self._endpoint.version
        elif self._endpoint.label is not None:
            spec.version_label = self._endpoint.label
        return spec

    def _predictions(self, response: predict_pb2.PredictResponse, count: int) -> list[Prediction]:
        try:
            outputs = {
                name: _column(tensor, count)
                for name, tensor in response.outputs.items()
                if name in (*responses.OUTPUTS, *responses.LATER_OUTPUTS)
            }
        except (AttributeError, KeyError, TypeError, ValueError):
            outputs = {}
        return responses.predictions(self._endpoint, outputs, count)

    def _statuses(
        self, response: get_model_status_pb2.GetModelStatusResponse
    ) -> list[VersionStatus]:
        name = get_model_status_pb2.ModelVersionStatus.State.Name
        try:
            return [
                VersionStatus(each.version, name(each.state), each.status.error_message)
                for each in response.model_version_status
            ]
        except ValueError as error:
            raise self._endpoint.not_ours("a version has an unknown state") from error

    def _metadata(self, response: get_model_metadata_pb2.GetModelMetadataResponse) -> Metadata:
        signatures = get_model_metadata_pb2.SignatureDefMap()
        try:
            response.metadata[_SIGNATURES].Unpack(signatures)
        except DecodeError as error:
            raise self._endpoint.not_ours("its metadata cannot be read") from error
        parsed = json_format.MessageToDict(
            signatures,
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
        )
        spec = response.model_spec
        return responses.metadata(spec.name, spec.version.value, parsed[_SIGNATURES])

    def _channel(self, library: Any) -> Any:
        """Makes a channel of `grpc` or `grpc.aio`."""
        address = self._endpoint.address
        if self._credentials is None:
            return library.insecure_channel(address, options=_OPTIONS)
        return library.secure_channel(address, self._credentials, options=_OPTIONS)

    def _failure(self, error: Any) -> ClientError:
        """Words what a call ended with."""
        code, said = error.code(), error.details() or ""
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return self._endpoint.late()
        if code is grpc.StatusCode.NOT_FOUND:
            return self._endpoint.unknown(said)
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            if _TOO_LONG in said:
                return self._endpoint.too_long()
            return self._endpoint.busy(said, _retry_after(error))
        # A server that ends returns CANCELLED for what it has not begun (grpc/grpc#41785); nobody
        # here cancels a call and waits for its response.
        if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
            if any(part in said for part in _TLS_FAILURES):
                return self._endpoint.tls_failed(said)
            return self._endpoint.unreachable(said, _retry_after(error))
        return self._endpoint.refused(f"{code.name}, {said}")


class Rpc(_RpcCalls):
    """A connection that is used again and again; see `transport.Transport`."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._connection = self._channel(grpc)
        self._methods = _methods(self._connection)

    def send(self, call: Call[Result], seconds: float) -> Result:
        """Makes one attempt at a call."""
        try:
            response = self._methods[call.method](call.message, timeout=seconds)
        except grpc.RpcError as error:
            raise self._failure(error) from error
        return call.read(response)

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()


class AsyncRpc(_RpcCalls):
    """The same for an event loop; see `transport.AsyncTransport`."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._connection: Any = None
        self._methods: dict[str, Any] = {}

    async def send(self, call: Call[Result], seconds: float) -> Result:
        """Makes one attempt at a call."""
        if self._connection is None:
            # Not before, because a channel belongs to the loop in which it is made.
            self._connection = self._channel(grpc.aio)
            self._methods = _methods(self._connection)
        try:
            response = await self._methods[call.method](call.message, timeout=seconds)
        except grpc.RpcError as error:
            raise self._failure(error) from error
        return call.read(response)

    async def close(self) -> None:
        """Ends the connection."""
        if self._connection is not None:
            await self._connection.close()


def _methods(channel: Any) -> dict[str, Any]:
    prediction = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    models = model_service_pb2_grpc.ModelServiceStub(channel)
    return {
        "Predict": prediction.Predict,
        "GetModelMetadata": prediction.GetModelMetadata,
        "GetModelStatus": models.GetModelStatus,
    }


def _credentials(endpoint: Endpoint) -> grpc.ChannelCredentials:
    tls = endpoint.tls
    # gRPC reports nothing about files that it cannot use.
    tls.context()
    key = tls.key or tls.certificate
    return grpc.ssl_channel_credentials(
        tls.authority.read_bytes() if tls.authority else None,
        key.read_bytes() if key else None,
        tls.certificate.read_bytes() if tls.certificate else None,
    )


def _column(tensor: tensor_pb2.TensorProto, count: int) -> list[Any]:
    # First, because one value is repeated as often as the shape says.
    if [dim.size for dim in tensor.tensor_shape.dim] != [count]:
        raise ValueError("not one value for each image")
    column: list[Any] = tf.make_ndarray(tensor).tolist()
    return [value.decode() if isinstance(value, bytes) else value for value in column]


def _retry_after(error: Any) -> float | None:
    """Reads gRPC's own Retry-After."""
    for name, value in error.trailing_metadata() or ():
        if name == _PUSHBACK and str(value).isdecimal():
            return float(value) / 1000
    return None
