"""What the server hands out for its page, without a browser."""

import asyncio
import json
import os
import shutil
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from aiohttp.test_utils import TestClient, TestServer

from serving.client import MAXIMUM_IMAGE
from serving.images import other_formats
from serving.images.encoding.encoding import encoded
from serving.server.admission.batching_settings import BatchingSettings
from serving.server.admission.limits import Limits
from serving.server.core import Core
from serving.server.model_config import ModelConfig, of_folder
from serving.server.protocols.rest import Rest
from tests.images import grey_pixels
from tests.serving.images.encoding.samples import FILES
from tests.serving.saved import save
from transform_module import contract

MODEL = "/page/model.json"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@asynccontextmanager
async def served(*configs, **options):
    core = Core(list(configs), BatchingSettings(), allow_unverified=True, **options)
    await core.refresh()
    async with TestClient(TestServer(Rest(core).application())) as client:
        yield client, core
    core.close()


def get(path, *configs, method="GET"):
    """Asks a server that serves these models."""

    async def send():
        async with served(*configs) as (client, _):
            response = await client.request(method, path)
            body = await response.read()
            return SimpleNamespace(status=response.status, headers=response.headers, body=body)

    return asyncio.run(send())


def models(*configs):
    return json.loads(get(MODEL, *configs).body)["models"]


@pytest.fixture
def copied(version, tmp_path):
    """The small model's version, to be changed."""
    return shutil.copytree(version, tmp_path / "chest_xray" / "17")


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/?any=thing", "text/html; charset=utf-8"),
        ("/page/page.css", "text/css; charset=utf-8"),
        ("/page/page.js", "text/javascript; charset=utf-8"),
        ("/page/reasons.js", "text/javascript; charset=utf-8"),
        (MODEL, "application/json; charset=utf-8"),
    ],
)
def test_the_headers_are_strict(path, content_type):
    reply = get(path)
    assert reply.status == 200
    assert reply.headers["Content-Type"] == content_type
    assert reply.headers["Content-Security-Policy"] == POLICY
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    assert reply.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/page"),
        ("GET", "/page/"),
        ("GET", "/page/nope"),
        ("GET", "/page/format"),
        ("GET", "/page/index.html"),
        ("GET", "/page/../page/page.py"),
        ("GET", "/index.html"),
        ("GET", "/favicon.ico"),
        ("POST", "/"),
        ("DELETE", MODEL),
    ],
)
def test_nothing_else_is_there(method, path):
    assert get(path, method=method).status == 404


def test_what_the_page_needs_of_the_model_is_reported_and_nothing_else(version):
    (only,) = models(of_folder(version.parent))
    assert only == {
        "name": version.parent.name,
        "version": "17",
        "labels": list(contract.LABELS),
        "threshold": 0.5,
        "signatures": {
            contract.SERVING_DEFAULT: ["label", "probability", "valid"],
            contract.TRANSFORM_FEATURES: [contract.IMAGE_XF],
        },
    }


def test_the_threshold_is_the_served_versions(copied):
    record = {"labels": ["A", "B"], "threshold": 0.25, "settings": {"secret": 1}}
    (copied / contract.MODEL_RECORD).write_text(json.dumps(record))
    (only,) = models(of_folder(copied))
    assert (only["labels"], only["threshold"]) == (["A", "B"], 0.25)
    assert "settings" not in only


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    "content",
    [
        *(None, b"", b"\xff", b"[1]", b"null", DEEP, b'{"labels": ' + DEEP + b"}"),
        b'{"labels": ["A", "B"], "threshold": 0.25}' + b" " * 4 * 2**20,
        b'{"labels": [1, 2], "threshold": "0.5"}',
        b'{"labels": ["A"], "threshold": true}',
        b'{"labels": {}, "threshold": NaN}',
        b'{"labels": null, "threshold": 1.5}',
        b'{"threshold": 1' + b"0" * 5000 + b"}",
    ],
    ids=range(13),
)
def test_a_record_that_cannot_be_read_leaves_the_threshold_unknown(copied, content):
    record = copied / contract.MODEL_RECORD
    record.unlink() if content is None else record.write_bytes(content)
    (only,) = models(of_folder(copied))
    assert (only["labels"], only["threshold"]) == (list(contract.LABELS), None)


def test_every_model_that_has_a_version_is_reported(version, tmp_path):
    named = [ModelConfig(name, version.parent) for name in ("b", "a")]
    empty = ModelConfig("empty", tmp_path)
    assert [each["name"] for each in models(*named, empty)] == ["b", "a"]


def test_a_model_that_classifies_no_images_is_left_out(tmp_path):
    other = save(tmp_path / "other" / "1", signature="other")
    assert models(of_folder(other)) == []


def test_what_blocks_a_reader_is_not_read(copied):
    record = copied / contract.MODEL_RECORD
    record.unlink()
    os.mkfifo(record)
    (only,) = models(of_folder(copied))
    assert only["threshold"] is None


def test_a_record_is_read_once(copied):
    async def send():
        async with served(of_folder(copied)) as (client, _):
            message = []
            for threshold in (0.25, 0.75):
                (copied / contract.MODEL_RECORD).write_text(json.dumps({"threshold": threshold}))
                (only,) = (await (await client.get(MODEL)).json())["models"]
                message.append(only["threshold"])
            return message

    assert asyncio.run(send()) == [0.25, 0.25]


def test_the_limits_are_those_of_the_files(version):
    limits = json.loads(get(MODEL).body)["limits"]
    assert limits == {"bytes": MAXIMUM_IMAGE, "pixels": 50_000_000, "side": 32, "head": 1024}


def format_by_page(head, **options):
    async def send():
        async with served() as (client, _):
            response = await client.post("/page/format", data=head, **options)
            return response.status, await response.read()

    return asyncio.run(send())


@pytest.mark.parametrize(
    ("head", "is_encoded"),
    [
        (b"", False),
        (b"hello", False),
        (bytes(128) + b"DICM", True),
        (b"II*\0", True),
        (b"\xff\xd8\xff", False),
        (b"%PDF" * 256, False),
        (bytes(1024), False),
    ],
)
def test_the_format_is_reported_by_the_first_bytes(head, is_encoded):
    status, body = format_by_page(head)
    expected = {"format": other_formats.describe(head), "encoded": is_encoded}
    assert (status, json.loads(body)) == (200, expected)


def encoded_by_page(data, limits=Limits()):  # noqa: B008
    async def send():
        async with served(limits=limits) as (client, core):
            response = await client.post("/page/encoded", data=data)
            used = core.memory.used
            return response.status, response.content_type, await response.read(), used

    return asyncio.run(send())


@pytest.mark.parametrize("name", FILES)
def test_an_image_of_another_format_is_encoded_for_the_page(name):
    data = FILES[name](grey_pixels(44, 40))
    assert encoded_by_page(data) == (200, "image/png", encoded(data).image, 0)


def test_a_file_without_an_image_has_its_reason():
    status, kind, body, used = encoded_by_page(b"II*\0" + bytes(99))
    assert (status, kind, used) == (200, "application/json", 0)
    assert json.loads(body) == {"reason": "damaged TIFF"}


@pytest.mark.parametrize(
    ("limits", "status"),
    [
        (Limits(body_bytes=1000), 413),
        (Limits(memory_bytes=2000), 413),
        (Limits(pixels=8_000_000), 429),
        (Limits(requests=1), 200),
    ],
)
def test_what_is_encoded_is_bounded(limits, status):
    assert encoded_by_page(FILES["tiff"](grey_pixels(44, 40)), limits)[0] == status


async def parts():
    yield b"hello"


@pytest.mark.parametrize("head", [bytes(1025), bytes(2**20), parts()])
def test_more_than_the_first_bytes_is_refused(head):
    status, _ = format_by_page(head)
    assert status == 413


def test_a_new_version_is_reported_once_it_is_served(copied):
    async def send():
        async with served(of_folder(copied.parent)) as (client, core):
            message = []
            for _ in range(2):
                (only,) = (await (await client.get(MODEL)).json())["models"]
                message.append(only["version"])
                shutil.copytree(copied, copied.with_name("18"), dirs_exist_ok=True)
                await core.refresh()
            return message

    assert asyncio.run(send()) == ["17", "18"]
