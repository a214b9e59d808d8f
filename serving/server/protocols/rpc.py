"""TensorFlow Serving's gRPC API.

Codes follow the comments of `tensorflow_serving/apis/*.proto` and, where those are silent,
`predict_util.cc`, `get_model_status_impl.cc` and `get_model_metadata_impl.cc`. Messages repeat
nothing that a client sent.

The handlers get the bytes of a message and parse it themselves: they refuse one before it is read,
look through it before it is parsed, and refuse one that cannot be parsed without a word in the log.
"""

import asyncio
import contextlib
import importlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias, TypeVar

import grpc
from google.protobuf import any_pb2, descriptor_pool
from google.protobuf.message import DecodeError, Message
from grpc import StatusCode
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    predict_pb2,
)

from serving.server.admission.request_memory import Share
from serving.server.core import Core, Target
from serving.server.loaded_versions import State
from serving.server.protocols import proto_tensors, wire
from serving.server.protocols.rest import ABSENT
from serving.server.servable import Servable, Work
from serving.server.status import RequestError, busy, invalid, log_failure, too_large
from transform_module import contract


def _service(module: str, name: str) -> Any:
    """Finds the descriptor of a service, where reflection finds it too."""
    # The generated code registers the descriptor, and then sets an attribute of it that is
    # read-only since protobuf 4.
    with contextlib.suppress(AttributeError):
        importlib.import_module(f"tensorflow_serving.apis.{module}")
    return descriptor_pool.Default().FindServiceByName(f"tensorflow.serving.{name}")


PREDICTION: Final = _service("prediction_service_pb2", "PredictionService")
MODELS: Final = _service("model_service_pb2", "ModelService")

_LOG = logging.getLogger(__name__)
_SIGNATURES: Final = "signature_def"
# Beside the message and what is parsed of it: the arrays, and the model's tensors of them.
_COPIES: Final = 2
_READS: Final = 2
"""Messages that are read at the same time; a small one takes a millisecond."""
_PATIENCE_SECONDS: Final = 0.5
"""How long one may take while others wait."""
_SMALL_MESSAGE: Final = 64 * 1024
"""Bytes of a request for metadata or a status, at most."""

_M = TypeVar("_M", bound=Message)
_Context: TypeAlias = grpc.aio.ServicerContext
_Handler = Callable[[_Context], Awaitable[Message]]


class _Reads:
    """The messages that are read at the same time, which are few.

    gRPC takes memory for a message before anybody knows its size. Where others wait, the one that
    is read for the longest time is refused, so that who sends slowly shuts out nobody.
    """

    def __init__(self) -> None:
        self._running: dict[asyncio.Timeout, float] = {}
        self._waiting: list[asyncio.Future[None]] = []

    async def begin(self, timeout: asyncio.Timeout) -> None:
        """Waits for its turn; the latest comes first."""
        loop = asyncio.get_running_loop()
        while len(self._running) >= _READS:
            oldest, since = next(iter(self._running.items()))
            patience = since + _PATIENCE_SECONDS - loop.time()
            if patience <= 0:
                self.refuse(oldest)
                continue
            turn = loop.create_future()
            self._waiting.append(turn)
            try:
                await asyncio.wait([turn], timeout=patience)
            finally:
                if turn in self._waiting:
                    self._waiting.remove(turn)
        self._running[timeout] = loop.time()

    def end(self, timeout: asyncio.Timeout) -> None:
        """Lets the next one begin."""
        if self._running.pop(timeout, None) is not None and self._waiting:
            self._waiting.pop().set_result(None)

    def refuse(self, timeout: asyncio.Timeout) -> None:
        """Ends a read."""
        self.end(timeout)
        timeout.reschedule(0)

    def refuse_all(self) -> None:
        """Ends all reads."""
        for timeout in list(self._running):
            self.refuse(timeout)


class Rpc:
    """The handlers."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._reads = _Reads()

    def add_to(self, server: grpc.aio.Server) -> None:
        """Adds the services; methods that are not supported say so."""
        supported: dict[str, _Handler] = {
            "Predict": self._predict,
            "GetModelMetadata": self._metadata,
            "GetModelStatus": self._status,
        }
        for service in (PREDICTION, MODELS):
            handlers = {
                method.name: grpc.stream_unary_rpc_method_handler(
                    self._refusing(supported.get(method.name, _absent)),
                    response_serializer=lambda message: message.SerializeToString(),
                )
                for method in service.methods
            }
            server.add_generic_rpc_handlers(
                [grpc.method_handlers_generic_handler(service.full_name, handlers)]
            )

    def refuse_arriving(self) -> None:
        """Refuses the messages that are still arriving, because the process has no memory left."""
        self._reads.refuse_all()

    def _refusing(self, handler: _Handler) -> Callable[[object, _Context], Awaitable[Any]]:
        """Ends a call that is refused with its code and message."""

        async def wrapped(messages: object, context: _Context) -> Any:
            try:
                return await handler(context)
            except RequestError as error:
                if error.reason:
                    self._core.metrics.refuse(error.reason)
                code, message = error.code, error.message
            except (asyncio.CancelledError, grpc.aio.AbortError):
                raise
            except Exception as error:  # noqa: BLE001
                log_failure(_LOG, error)
                code, message = StatusCode.INTERNAL, "The request failed; see the server's log."
            # Here, where the error no longer holds on to what the handler had.
            return await context.abort(code, message)

        return wrapped

    async def _predict(self, context: _Context) -> Message:
        deadline = _deadline(context)
        with self._core.admitted() as share:
            message = await self._message(context, self._core.limits.body_bytes)
            share.take(len(message))
            request = await self._parsed(message, share)
            del message
            target = _target(request)
            with self._core.request_of(target.name, "Predict", "GRPC"):
                version = self._core.find(target)
                work = await self._core.in_thread(share.held, self._prepared, request, version)
                specs = version.signatures[work.signature].outputs
                wanted = _wanted(list(request.output_filter), sorted(specs))
                request.Clear()
                outputs = await self._core.run(target.name, version, work, deadline)
                share.take(2 * sum(array.nbytes for array in outputs.values()))
                return predict_pb2.PredictResponse(
                    model_spec=_spec(target.name, version, work.signature),
                    outputs={
                        name: proto_tensors.to_proto(outputs[name], specs[name].dtype)
                        for name in wanted
                    },
                )

    async def _parsed(self, message: bytes, share: Share) -> predict_pb2.PredictRequest:
        try:
            memory = await self._core.in_thread(len(message), wire.predict_request_memory, message)
        except wire.MalformedError as error:
            raise invalid(f"The message is not a PredictRequest: it {error}.") from error
        share.take(memory + _COPIES * len(message))
        request = await self._core.in_thread(
            len(message), _parse, predict_pb2.PredictRequest, message
        )
        share.take(sum(map(proto_tensors.memory, request.inputs.values())))
        return request

    def _prepared(self, request: predict_pb2.PredictRequest, version: Servable) -> Work:
        """Reads a request's tensors and checks them against the signature that they are for."""
        signature = request.model_spec.signature_name or contract.SERVING_DEFAULT
        if signature not in version.signatures:
            raise RequestError(
                StatusCode.FAILED_PRECONDITION,
                f"Serving signature key not found; there are {', '.join(version.signatures)}.",
            )
        version.check_names(signature, request.inputs)
        return version.prepare(
            signature,
            {name: proto_tensors.to_array(name, proto) for name, proto in request.inputs.items()},
        )

    async def _metadata(self, context: _Context) -> Message:
        message = await self._message(context, _SMALL_MESSAGE)
        request = _parse(get_model_metadata_pb2.GetModelMetadataRequest, message)
        target = _target(request)
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        if set(request.metadata_field) != {_SIGNATURES}:
            raise invalid(f"A metadata_field is not supported; only {_SIGNATURES} is.")
        version = self._core.find(target)
        packed = any_pb2.Any()
        packed.Pack(
            get_model_metadata_pb2.SignatureDefMap(
                signature_def={name: each.definition for name, each in version.signatures.items()}
            )
        )
        return get_model_metadata_pb2.GetModelMetadataResponse(
            model_spec=_spec(target.name, version, ""), metadata={_SIGNATURES: packed}
        )

    async def _status(self, context: _Context) -> Message:
        message = await self._message(context, _SMALL_MESSAGE)
        request = _parse(get_model_status_pb2.GetModelStatusRequest, message)
        response = get_model_status_pb2.GetModelStatusResponse()
        for number, version in self._core.status(_target(request, needs_name=False)).items():
            entry = response.model_version_status.add(version=number, state=version.state.value)
            if version.state is State.END and version.error:
                entry.status.error_code = StatusCode.UNKNOWN.value[0]
            entry.status.error_message = version.error
        return response

    async def _message(self, context: _Context, largest: int) -> bytes:
        """Reads the message of a call.

        Raises:
            RequestError: there is none in time, it is too large, or there is no memory for it.
        """
        timeout = asyncio.timeout(self._core.limits.body_seconds)
        try:
            async with timeout:
                await self._reads.begin(timeout)
                # The iterator would hold on to the message.
                message = await context.read()
        except TimeoutError as error:
            if timeout.when() == 0:
                raise busy("The memory for requests is used up.", reason="process_bytes") from error
            raise RequestError(
                StatusCode.DEADLINE_EXCEEDED,
                "The message was not there in time.",
                reason="body_seconds",
            ) from error
        finally:
            self._reads.end(timeout)
        if message is grpc.aio.EOF:
            raise invalid("The call has no message.")
        if len(message) > largest:
            raise too_large(f"The message is larger than {largest} bytes.", reason="body_bytes")
        return message


async def _absent(context: _Context) -> Message:
    raise RequestError(StatusCode.UNIMPLEMENTED, ABSENT)


def _parse(kind: type[_M], message: bytes) -> _M:
    try:
        return kind.FromString(message)
    except DecodeError as error:
        raise invalid(f"The message is not a {kind.DESCRIPTOR.name}: it cannot be read.") from error


def _target(request: Any, *, needs_name: bool = True) -> Target:
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    spec = request.model_spec
    if needs_name and not spec.name:
        raise invalid("ModelSpec has no name specified.")
    choice = spec.WhichOneof("version_choice")
    return Target(
        spec.name,
        spec.version.value if choice == "version" else None,
        spec.version_label if choice == "version_label" else None,
    )


def _spec(name: str, version: Servable, signature: str) -> model_pb2.ModelSpec:
    spec = model_pb2.ModelSpec(name=name, signature_name=signature)
    spec.version.value = version.version
    return spec


def _wanted(chosen: list[str], known: list[str]) -> list[str]:
    if not set(chosen) <= set(known):
        raise invalid(
            f"An output tensor alias is not found in signature; there are {', '.join(known)}."
        )
    if len(set(chosen)) < len(chosen):
        raise invalid("An output tensor alias is given twice.")
    return chosen or known


def _deadline(context: _Context) -> float | None:
    remaining = context.time_remaining()
    return None if remaining is None else asyncio.get_running_loop().time() + remaining
