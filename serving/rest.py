"""TensorFlow Serving's REST API, on aiohttp.

Paths, codes and messages follow https://www.tensorflow.org/tfx/serving/api_rest and, where that is
silent, `http_rest_api_handler.cc`.
"""

import asyncio
import json
import logging
import re
import time
from typing import Any, Final
from urllib.parse import unquote

import numpy as np
from aiohttp import web
from aiohttp.web_exceptions import HTTPRequestEntityTooLarge
from google.protobuf import json_format
from grpc import StatusCode
from tensorflow_serving.apis import get_model_metadata_pb2

from serving import examples, json_tensors, metrics
from serving.body import MAXIMUM_BODY, read
from serving.core import Core, Target
from serving.page import Page
from serving.servable import Servable
from serving.status import RequestError, invalid, not_found
from serving.versions import State, Version
from transform_module import features

MAXIMUM_IN_FLIGHT: Final = 1024
"""Requests at the same time; one more is refused at once."""

TIMEOUT_SECONDS: Final = 30.0
"""The deadline of every request, TensorFlow Serving's `--rest_api_timeout_in_ms`."""

_MODEL: Final = r"/v1/models(?:/([^/:]+))"
_VERSION: Final = r"(?:(?:/versions/(\d+))|(?:/labels/([\w\-.]+)))?"
_PREDICTION: Final = re.compile(rf"(?i:{_MODEL}{_VERSION}):(classify|regress|predict)", re.ASCII)
_STATUS: Final = re.compile(rf"(?i){_MODEL}?{_VERSION}(/metadata)?", re.ASCII)
_ANY: Final = re.compile(r"(?i)/v1/.*", re.DOTALL)
_LARGEST_VERSION: Final = 2**63 - 1
# Larger bodies are read in a thread, so that they do not hold up the others.
_LARGE_BODY: Final = 1 << 20

_LOG = logging.getLogger(__name__)


class Rest:
    """The handlers.

    Attributes:
        draining: once true, each answer ends its connection.
        in_flight: requests that are being answered.
        last_request: when one came last, on the clock of `time.monotonic`.
    """

    def __init__(self, core: Core) -> None:
        self.draining = False
        self.in_flight = 0
        self.last_request = 0.0
        self._core = core

    def application(self) -> web.Application:
        """Makes the application that aiohttp serves."""
        application = web.Application(client_max_size=MAXIMUM_BODY, middlewares=[self._guard])
        application.router.add_get(metrics.PATH, self._metrics)
        Page(self._core).add_to(application.router)
        application.router.add_route("*", "/{path:.*}", self._api)
        return application

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.last_request = time.monotonic()
        self.in_flight += 1
        try:
            if self.in_flight > MAXIMUM_IN_FLIGHT:
                raise RequestError(
                    StatusCode.RESOURCE_EXHAUSTED,
                    f"{MAXIMUM_IN_FLIGHT} requests are being answered. Try again later.",
                )
            response: web.StreamResponse = await handler(request)
        except RequestError as error:
            response = _error(error.http, error.message)
        except HTTPRequestEntityTooLarge:
            response = _error(413, f"The body is larger than {MAXIMUM_BODY} bytes.")
        except web.HTTPException as error:
            response = _error(error.status, error.reason)
        except (web.RequestPayloadError, ValueError) as error:
            response = _error(400, f"The body cannot be read: {error}")
        except Exception:  # noqa: BLE001
            _LOG.exception("A request failed")
            response = _error(500, "The request failed; the server's log tells why.")
        finally:
            self.in_flight -= 1
        if self.draining:
            response.force_close()
        return response

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(text=self._core.metrics.text(), content_type="text/plain")

    async def _api(self, request: web.Request) -> web.Response:
        path = request.raw_path.split("?", 1)[0]
        if not _ANY.fullmatch(path):
            raise not_found("Not found: the paths begin with /v1/models")
        if request.method == "POST" and (match := _PREDICTION.fullmatch(path)):
            name, version, label, method = match.groups()
            return await self._predict(request, _target(name, version, label), method)
        if request.method == "GET" and (match := _STATUS.fullmatch(path)):
            name, version, label, metadata = match.groups()
            if name is None:
                raise invalid("Missing model name in request.")
            target = _target(name, version, label)
            return self._metadata(target) if metadata else self._status(target)
        raise invalid(f"Malformed request: {request.method} {path}")

    async def _predict(self, request: web.Request, target: Target, method: str) -> web.Response:
        deadline = asyncio.get_running_loop().time() + TIMEOUT_SECONDS
        body = await read(request, deadline)
        if not self._core.knows(target.name):
            return await self._answer(body, target, method, deadline)
        with self._core.metrics.request(target.name, method, "REST"):
            return await self._answer(body, target, method, deadline)

    async def _answer(
        self, body: bytes, target: Target, method: str, deadline: float
    ) -> web.Response:
        parsed = await _maybe_in_thread(len(body), json_tensors.parse, body)
        signature = json_tensors.signature_name(parsed, features.SERVING_DEFAULT)
        if method == "predict":
            version = self._core.find(target)
            if signature not in version.signatures:
                raise invalid(f'Serving signature name: "{signature}" not found in signature def')
            specs = version.signatures[signature].inputs
            inputs = await _maybe_in_thread(len(body), json_tensors.inputs_of, parsed, specs)
            outputs = await self._core.run(
                target.name, version, signature, inputs, deadline, "Predict"
            )
            return _json(json_tensors.answer(parsed, outputs))
        given = examples.from_json(parsed)
        version = self._core.find(target)
        outputs = await self._run_examples(target.name, version, signature, given, method, deadline)
        results: list[Any]
        if method == "classify":
            results = [
                [[each.label, np.float32(each.score)] for each in row.classes]
                for row in examples.classifications(outputs).classifications
            ]
        else:
            results = [np.float32(each.value) for each in examples.regressions(outputs).regressions]
        return _json(json_tensors.dumps({"results": results}))

    async def _run_examples(
        self,
        name: str,
        version: Servable,
        signature: str,
        given: list[bytes],
        method: str,
        deadline: float,
    ) -> Any:
        key = examples.check(version, signature, method)
        return await self._core.run(
            name,
            version,
            signature,
            {key: np.array(given, object)},
            deadline,
            method.capitalize(),
        )

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
        content = {"model_version_status": [_told(*each) for each in versions.items()]}
        return _json(json.dumps(content, indent=1).encode())


def _told(number: int, version: Version) -> dict[str, Any]:
    failed = version.state is State.END and version.error
    return {
        "version": str(number),
        "state": version.state.name,
        "status": {
            "error_code": "UNKNOWN" if failed else "OK",
            "error_message": version.error,
        },
    }


async def _maybe_in_thread(size: int, function: Any, *arguments: Any) -> Any:
    if size > _LARGE_BODY:
        return await asyncio.to_thread(function, *arguments)
    return function(*arguments)


def _target(name: str, version: str | None, label: str | None) -> Target:
    if version is not None and int(version) > _LARGEST_VERSION:
        raise invalid(f"Failed to convert version: {version} to numeric.")
    return Target(unquote(name), None if version is None else int(version), label)


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")


def _error(status: int, message: str) -> web.Response:
    return web.Response(
        status=status,
        body=json.dumps({"error": message}).encode(),
        content_type="application/json",
    )
