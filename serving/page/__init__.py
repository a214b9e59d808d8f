"""The page that a server shows at ``/``: pictures are dropped on it and judged over the REST API.

It is plain HTML, CSS and JavaScript, without a build and without anything from elsewhere.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from serving.core import Core, Target
from serving.servable import Servable
from serving.status import RequestError
from transform_module import features

_FILES: Final = {
    "/": ("index.html", "text/html"),
    "/page/page.css": ("page.css", "text/css"),
    "/page/page.js": ("page.js", "text/javascript"),
}
_MODEL: Final = "/page/model.json"
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

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Adds the page's paths; others stay as they are."""
        for path, (name, content_type) in _FILES.items():
            router.add_get(path, _file(Path(__file__).with_name(name), content_type))
        router.add_get(_MODEL, self._models)

    async def _models(self, request: web.Request) -> web.Response:
        """Tells what the page needs to know of the models that can be asked for pictures."""
        models = []
        for name in self._core.models():
            try:
                version = self._core.find(Target(name))
            except RequestError:  # it is being loaded, or cannot be
                continue
            if _judges_pictures(version):
                models.append(await asyncio.to_thread(_told, name, version))
        return _answer(json.dumps({"models": models}), "application/json")


def _file(path: Path, content_type: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    text = path.read_text(encoding="utf-8")

    async def handle(request: web.Request) -> web.Response:
        return _answer(text, content_type)

    return handle


def _answer(text: str, content_type: str) -> web.Response:
    return web.Response(text=text, content_type=content_type, headers=_HEADERS)


def _judges_pictures(version: Servable) -> bool:
    signature = version.signatures.get(features.SERVING_DEFAULT)
    wanted = {features.PROBABILITY, features.PREDICTED_LABEL, features.VALID}
    return (
        signature is not None
        and list(signature.inputs) == [features.IMAGE_BYTES]
        and wanted <= signature.outputs.keys()
    )


def _told(name: str, version: Servable) -> dict[str, Any]:
    """Tells of one model; a record that cannot be read leaves the threshold unknown."""
    try:
        record = dict(json.loads((version.path / features.MODEL_RECORD).read_bytes()))
    except (OSError, ValueError, TypeError):
        record = {}
    return {
        "name": name,
        "version": str(version.version),
        "labels": record.get("labels", features.LABELS),
        "threshold": record.get("threshold"),
        "signatures": {key: sorted(each.outputs) for key, each in version.signatures.items()},
    }
