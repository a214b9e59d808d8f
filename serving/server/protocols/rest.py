"""TensorFlow Serving's REST API, on aiohttp.

Paths and codes follow https://www.tensorflow.org/tfx/serving/api_rest and, where that is silent,
`http_rest_api_handler.cc`. Messages repeat nothing that a client sent.
"""

import asyncio
import json
import logging
import re
import time
from typing import Any, Final
from urllib.parse import unquote

from aiohttp import web
from google.protobuf import json_format
from grpc import StatusCode
from tensorflow_serving.apis import get_model_metadata_pb2

from serving.server import metrics
from serving.server.admission.request_memory import Share
from serving.server.core import Core, Target
from serving.server.loaded_versions import State, Version
from serving.server.protocols import json_tensors
from serving.server.protocols.body import read
from serving.server.protocols.connections import Connections
from serving.server.servable import Servable, Work
from serving.server.status import RequestError, invalid, log_failure, not_found, too_large
from serving.server.upload_page import Page
from transform_module import contract

TIMEOUT_SECONDS: Final = 30.0
"""The deadline of every request, TensorFlow Serving's `--rest_api_timeout_in_ms`."""

ABSENT: Final = (
    "This server does not support this: no model that the pipeline pushes can be used so. "
    "serving/README.md lists what TensorFlow Serving does and this server does not."
)

_MODEL: Final = r"/v1/models(?:/([^/:]+))"
_VERSION: Final = r"(?:(?:/versions/(\d+))|(?:/labels/([\w\-.]+)))?"
_PREDICTION: Final = re.compile(rf"(?i:{_MODEL}{_VERSION}):(classify|regress|predict)", re.ASCII)
_STATUS: Final = re.compile(rf"(?i){_MODEL}?{_VERSION}(/metadata)?", re.ASCII)
_ANY: Final = re.compile(r"(?i)/v1/.*", re.DOTALL)
_LARGEST_VERSION: Final = 2**63 - 1

# A value of a JSON text takes as long to be converted as so many bytes to be read.
_BYTES_PER_VALUE: Final = 64
# Beside the body: its texts, the bytes that they encode, and the model's tensor of them.
_COPIES: Final = 3

# float32 as JSON, and the lists in between.
_JSON_PER_BYTE: Final = 4

_LOG = logging.getLogger(__name__)


class Rest:
    """The handlers.

    Attributes:
        draining: once true, each response ends its connection.
        in_flight: requests that are being handled.
        last_request: when one came last, on the clock of `time.monotonic`.
        connections: those that are open.
    """

    def __init__(self, core: Core) -> None:
        self.draining = False
        self.in_flight = 0
        self.last_request = 0.0
        self.connections = Connections(core.limits, core.metrics.refuse)
        self._core = core

    def application(self) -> web.Application:
        """Makes the application that aiohttp serves."""
        application = web.Application(middlewares=[self._guard])
        application.router.add_get(metrics.PATH, self._metrics)
        Page(self._core).add_to(application.router)
        application.router.add_route("*", "/{path:.*}", self._api)
        return application

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.last_request = time.monotonic()
        self.in_flight += 1
        connection = request.protocol
        self.connections.began(connection)
        try:
            response: web.StreamResponse = await handler(request)
        except RequestError as error:
            if error.reason:
                self._core.metrics.refuse(error.reason)
            response = _error(error.http, error.message)
        except web.HTTPException as error:
            response = _error(error.status, error.reason)
        except web.RequestPayloadError:
            response = _error(400, "The body cannot be read: it is not what its header says.")
        except ConnectionError:  # the client left
            raise
        except Exception as error:  # noqa: BLE001
            log_failure(_LOG, error)
            response = _error(500, "The request failed; see the server's log.")
        finally:
            self.in_flight -= 1
            self.connections.responded(connection)
        if self.draining and not response.prepared:
            response.force_close()
        return response

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(text=self._core.metrics.text(), content_type="text/plain")

    async def _api(self, request: web.Request) -> web.StreamResponse:
        path = request.raw_path.split("?", 1)[0]
        if not _ANY.fullmatch(path):
            raise not_found("Not found: the paths begin with /v1/models")
        if request.method == "POST" and (match := _PREDICTION.fullmatch(path)):
            name, version, label, method = match.groups()
            if method != "predict":
                raise RequestError(StatusCode.UNIMPLEMENTED, ABSENT)
            return await self._predict(request, _target(name, version, label))
        if request.method == "GET" and (match := _STATUS.fullmatch(path)):
            name, version, label, metadata = match.groups()
            if name is None:
                raise invalid("Missing model name in request.")
            target = _target(name, version, label)
            return self._metadata(target) if metadata else self._status(target)
        raise invalid("Malformed request: there is no such method and path.")

    async def _predict(self, request: web.Request, target: Target) -> web.StreamResponse:
        deadline = asyncio.get_running_loop().time() + TIMEOUT_SECONDS
        with self._core.request_of(target.name, "predict", "REST"), self._core.admitted() as share:
            body = await read(request, share, self._core.limits, deadline, self._core.in_thread)
            self.connections.computing(request.protocol)
            response = web.Response(
                body=await self._response_body(body, share, target, deadline),
                content_type="application/json",
            )
            if self.draining:
                response.force_close()
            # Here, so that the memory of the response counts until the client has it.
            try:
                async with asyncio.timeout(self._core.limits.idle_seconds):
                    await response.prepare(request)
                    await response.write_eof()
            except TimeoutError:
                self.connections.close(request.protocol)
            return response

    async def _response_body(
        self, body: bytearray, share: Share, target: Target, deadline: float
    ) -> bytes:
        core = self._core
        values, memory = await core.in_thread(len(body), json_tensors.values_in, body)
        if values > core.limits.json_values:
            raise too_large(
                f"The body has more than {core.limits.json_values} values. Send fewer rows, or "
                "gRPC.",
                reason="json_values",
            )
        share.take(_COPIES * len(body) + memory)
        cost = len(body) + values * _BYTES_PER_VALUE
        form, version, work = await core.in_thread(cost, self._prepared, body, target)
        body.clear()
        outputs = await core.run(target.name, version, work, deadline)
        size = sum(array.nbytes for array in outputs.values())
        share.take(_JSON_PER_BYTE * size)
        return await core.in_thread(size, json_tensors.response, form, outputs)

    def _prepared(self, body: bytearray, target: Target) -> tuple[dict[str, Any], Servable, Work]:
        """Reads a request and checks it against the signature that it is for."""
        parsed = json_tensors.parse(body)
        signature = json_tensors.signature_name(parsed, contract.SERVING_DEFAULT)
        version = self._core.find(target)
        if signature not in version.signatures:
            raise invalid(
                f"Serving signature name not found; there are {', '.join(version.signatures)}."
            )
        specs = version.signatures[signature].inputs
        inputs = json_tensors.inputs_of(parsed, specs, self._core.batching)
        # What the response depends on; the values themselves are not needed any more.
        form = dict.fromkeys(parsed.keys() & {"inputs"})
        return form, version, version.prepare(signature, inputs)

    def _metadata(self, target: Target) -> web.Response:
        version = self._core.find(target)
        signatures = get_model_metadata_pb2.SignatureDefMap(
            signature_def={name: each.definition for name, each in version.signatures.items()}
        )
        content = {
            "model_spec": {
                "name": target.name,
                "signature_name": "",
                "version": str(version.version),
            },
            "metadata": {
                "signature_def": json_format.MessageToDict(
                    signatures,
                    preserving_proto_field_name=True,
                    always_print_fields_with_no_presence=True,
                )
            },
        }
        return _json(json.dumps(content, indent=1).encode())

    def _status(self, target: Target) -> web.Response:
        versions = self._core.status(target)
        content = {"model_version_status": [_status_of(*each) for each in versions.items()]}
        return _json(json.dumps(content, indent=1).encode())


def _status_of(number: int, version: Version) -> dict[str, Any]:
    failed = version.state is State.END and version.error
    return {
        "version": str(number),
        "state": version.state.name,
        "status": {
            "error_code": "UNKNOWN" if failed else "OK",
            "error_message": version.error,
        },
    }


def _target(name: str, version: str | None, label: str | None) -> Target:
    # A longer text is not even converted: that takes time beyond all measure.
    if version is not None and (len(version) > 19 or int(version) > _LARGEST_VERSION):
        raise invalid("Failed to convert version to numeric: it has more than 64 bits.")
    return Target(unquote(name), None if version is None else int(version), label)


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")


def _error(status: int, message: str) -> web.Response:
    return web.Response(
        status=status,
        body=json.dumps({"error": message}).encode(),
        content_type="application/json",
    )
