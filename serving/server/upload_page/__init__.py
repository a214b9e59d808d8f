"""The page that a server shows at ``/``: images dropped on it are classified over the REST API.

It is plain HTML, CSS and JavaScript, without a build and without external resources.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final
from weakref import WeakKeyDictionary

from aiohttp import web

from serving.client import MAXIMUM_IMAGE
from serving.images import other_formats
from serving.images.encoding import formats
from serving.server.core import Core, Target
from serving.server.protocols.body import read
from serving.server.servable import Servable
from serving.server.status import RequestError
from transform_module import contract

_FILES: Final = {
    "/": ("index.html", "text/html"),
    "/page/page.css": ("page.css", "text/css"),
    "/page/page.js": ("page.js", "text/javascript"),
    "/page/reasons.js": ("reasons.js", "text/javascript"),
}
_MODEL: Final = "/page/model.json"
_FORMAT: Final = "/page/format"
_ENCODED: Final = "/page/encoded"
_ENCODED_SECONDS: Final = 60
_HEAD_BYTES: Final = 1024
"""Bytes of a file by which `other_formats.describe` recognises it."""
_HEAD_SECONDS: Final = 10
_LIMITS: Final = {
    "bytes": MAXIMUM_IMAGE,
    "pixels": contract.MAXIMUM_PIXELS,
    "side": contract.MINIMUM_SIDE,
    "head": _HEAD_BYTES,
}
_RECORD_BYTES: Final = 4 * 1024 * 1024
"""A longer record is not read; those of the largest models have a few ten thousand bytes."""
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class Page:
    """The handlers."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._described: WeakKeyDictionary[Servable, dict[str, Any]] = WeakKeyDictionary()

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Adds the page's paths; others stay as they are."""
        for path, (name, content_type) in _FILES.items():
            router.add_get(path, _file(Path(__file__).with_name(name), content_type))
        router.add_get(_MODEL, self._models)
        router.add_post(_FORMAT, _format)
        router.add_post(_ENCODED, self._encoded)

    async def _models(self, request: web.Request) -> web.Response:
        """Responds with the models that classify encoded images, as the page needs them."""
        models = []
        for name in self._core.models():
            try:
                version = self._core.find(Target(name))
            except RequestError:  # it is being loaded, or failed
                continue
            if not _classifies_images(version):
                continue
            if version not in self._described:
                self._described[version] = await asyncio.to_thread(_describe, version)
            models.append({"name": name, **self._described[version]})
        return _response(json.dumps({"models": models, "limits": _LIMITS}), "application/json")

    async def _encoded(self, request: web.Request) -> web.Response:
        """Responds with the image of a file as PNG, or with the reason why there is none."""
        core, deadline = self._core, asyncio.get_running_loop().time() + _ENCODED_SECONDS
        with core.admitted() as share:
            body = await read(request, share, core.limits, deadline, core.in_thread)
            share.take(len(body))
            data = bytes(body)
            body.clear()
            found = await core.encoded(data, deadline)
            if isinstance(found, str):
                return _response(json.dumps({"reason": found}), "application/json")
            share.take(len(found.image))
            return web.Response(body=found.image, content_type="image/png", headers=_HEADERS)


async def _format(request: web.Request) -> web.Response:
    """Responds with what a file is by its first bytes, and whether its image is encoded anew."""
    size = request.content_length
    if size is None or size > _HEAD_BYTES:
        raise web.HTTPRequestEntityTooLarge(_HEAD_BYTES, size or 0)
    try:
        async with asyncio.timeout(_HEAD_SECONDS):
            head = await request.content.readexactly(size) if size else b""
    except (TimeoutError, asyncio.IncompleteReadError) as error:
        raise web.HTTPRequestTimeout from error
    content = {
        "format": other_formats.describe(head),
        "encoded": not formats.direct(head) and formats.other(head) is not None,
    }
    return _response(json.dumps(content), "application/json")


def _file(path: Path, content_type: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    text = path.read_text(encoding="utf-8")

    async def handle(request: web.Request) -> web.Response:
        return _response(text, content_type)

    return handle


def _response(text: str, content_type: str) -> web.Response:
    return web.Response(text=text, content_type=content_type, headers=_HEADERS)


def _classifies_images(version: Servable) -> bool:
    signature = version.signatures.get(contract.SERVING_DEFAULT)
    wanted = {contract.PROBABILITY, contract.PREDICTED_LABEL, contract.VALID}
    return (
        signature is not None
        and list(signature.inputs) == [contract.IMAGE_BYTES]
        and wanted <= signature.outputs.keys()
    )


def _describe(version: Servable) -> dict[str, Any]:
    """Describes a version; an invalid field of its record stays unknown."""
    record = _record(version.path / contract.MODEL_RECORD)
    labels, threshold = record.get("labels"), record.get("threshold")
    return {
        "version": str(version.version),
        "labels": labels if _are_labels(labels) else contract.LABELS,
        "threshold": threshold if _is_threshold(threshold) else None,
        "signatures": {key: sorted(each.outputs) for key, each in version.signatures.items()},
    }


def _record(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        with path.open("rb") as file:
            content = file.read(_RECORD_BYTES + 1)
        # json recurses into each bracket, up to Python's limit.
        record = json.loads(content) if len(content) <= _RECORD_BYTES else None
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _are_labels(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == len(contract.LABELS)
        and all(isinstance(each, str) for each in value)
    )


def _is_threshold(value: Any) -> bool:
    # Neither true nor NaN.
    return type(value) in (int, float) and 0 <= value <= 1
