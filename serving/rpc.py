"""TensorFlow Serving's gRPC API.

Codes and messages follow the comments of `tensorflow_serving/apis/*.proto` and, where those are
silent, `predict_util.cc`, `get_model_status_impl.cc` and `get_model_metadata_impl.cc`.
"""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import numpy as np
from google.protobuf import any_pb2
from grpc import StatusCode
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from serving import examples, proto_tensors
from serving.core import Core, Target, reload_configs
from serving.servable import Servable
from serving.status import RequestError, invalid
from serving.versions import State
from transform_module import features

_LOG = logging.getLogger(__name__)
_SIGNATURES = "signature_def"

_Handler = Callable[[Any, Any, grpc.aio.ServicerContext], Awaitable[Any]]


def _told(handler: _Handler) -> _Handler:
    """Ends a call that is refused with its code and message."""

    @functools.wraps(handler)
    async def wrapped(self: Any, request: Any, context: grpc.aio.ServicerContext) -> Any:
        try:
            return await handler(self, request, context)
        except RequestError as error:
            await context.abort(error.code, error.message)
        except (asyncio.CancelledError, grpc.aio.AbortError):
            raise
        except Exception:  # noqa: BLE001
            _LOG.exception("A request failed")
            await context.abort(
                StatusCode.INTERNAL, "The request failed; the server's log tells why."
            )

    return wrapped


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict, Classify, Regress and GetModelMetadata."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @_told
    async def Predict(  # noqa: D102
        self, request: predict_pb2.PredictRequest, context: grpc.aio.ServicerContext
    ) -> predict_pb2.PredictResponse:
        target = _target(request)
        if not self._core.knows(target.name):
            self._core.find(target)
        with self._core.metrics.request(target.name, "Predict", "GRPC"):
            version = self._core.find(target)
            signature = request.model_spec.signature_name or features.SERVING_DEFAULT
            if signature not in version.signatures:
                raise RequestError(
                    StatusCode.FAILED_PRECONDITION,
                    f'Serving signature key "{signature}" not found.',
                )
            specs = version.signatures[signature].outputs
            wanted = _wanted(list(request.output_filter), sorted(specs))
            inputs = {
                name: proto_tensors.to_array(name, proto) for name, proto in request.inputs.items()
            }
            outputs = await self._core.run(
                target.name, version, signature, inputs, _deadline(context), "Predict"
            )
            return predict_pb2.PredictResponse(
                model_spec=_spec(target.name, version, signature),
                outputs={
                    name: proto_tensors.to_proto(outputs[name], specs[name].dtype)
                    for name in wanted
                },
            )

    @_told
    async def Classify(  # noqa: D102
        self,
        request: classification_pb2.ClassificationRequest,
        context: grpc.aio.ServicerContext,
    ) -> classification_pb2.ClassificationResponse:
        spec, outputs = await self._examples(request, context, "classify")
        return classification_pb2.ClassificationResponse(
            model_spec=spec, result=examples.classifications(outputs)
        )

    @_told
    async def Regress(  # noqa: D102
        self, request: regression_pb2.RegressionRequest, context: grpc.aio.ServicerContext
    ) -> regression_pb2.RegressionResponse:
        spec, outputs = await self._examples(request, context, "regress")
        return regression_pb2.RegressionResponse(
            model_spec=spec, result=examples.regressions(outputs)
        )

    async def _examples(
        self, request: Any, context: grpc.aio.ServicerContext, method: str
    ) -> tuple[model_pb2.ModelSpec, Any]:
        target = _target(request)
        if not self._core.knows(target.name):
            self._core.find(target)
        api = method.capitalize()
        with self._core.metrics.request(target.name, api, "GRPC"):
            version = self._core.find(target)
            signature = request.model_spec.signature_name or features.SERVING_DEFAULT
            key = examples.check(version, signature, method)
            inputs = {key: np.array(examples.from_input(request.input), object)}
            outputs = await self._core.run(
                target.name, version, signature, inputs, _deadline(context), api
            )
            return _spec(target.name, version, signature), outputs

    @_told
    async def GetModelMetadata(  # noqa: D102
        self,
        request: get_model_metadata_pb2.GetModelMetadataRequest,
        context: grpc.aio.ServicerContext,
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        target = _target(request)
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != _SIGNATURES:
                raise invalid(f"Metadata field {field} is not supported")
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


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus and HandleReloadConfigRequest."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @_told
    async def GetModelStatus(  # noqa: D102
        self,
        request: get_model_status_pb2.GetModelStatusRequest,
        context: grpc.aio.ServicerContext,
    ) -> get_model_status_pb2.GetModelStatusResponse:
        response = get_model_status_pb2.GetModelStatusResponse()
        for number, version in self._core.status(_target(request, needs_name=False)).items():
            told = response.model_version_status.add(version=number, state=version.state.value)
            if version.state is State.END and version.error:
                told.status.error_code = StatusCode.UNKNOWN.value[0]
            told.status.error_message = version.error
        return response

    @_told
    async def HandleReloadConfigRequest(  # noqa: D102
        self,
        request: model_management_pb2.ReloadConfigRequest,
        context: grpc.aio.ServicerContext,
    ) -> model_management_pb2.ReloadConfigResponse:
        await self._core.reconfigure(reload_configs(request.config))
        response = model_management_pb2.ReloadConfigResponse()
        response.status.SetInParent()
        return response


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
    for name in chosen:
        if name not in known:
            raise invalid(
                f"output tensor alias not found in signature: {name} "
                f"Outputs expected to be in the set {{{','.join(known)}}}."
            )
        if chosen.count(name) > 1:
            raise invalid(f"duplicate output tensor alias: {name}")
    return chosen or known


def _deadline(context: grpc.aio.ServicerContext) -> float | None:
    remaining = context.time_remaining()
    return None if remaining is None else asyncio.get_running_loop().time() + remaining
