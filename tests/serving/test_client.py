import asyncio
import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import grpc
import pytest

from components.errors import UserError
from serving.client import Tls, connect, connect_async, wire
from serving.model import Answer, Model
from tests.pictures import encode, grey_pixels
from tests.serving import certificates
from tests.serving.running import running

PICTURES = [encode(grey_pixels(40, 40, seed), "png-grey") for seed in range(3)] + [b"broken"]


@pytest.fixture(scope="module")
def urls(version):
    """REST and gRPC of a running server."""
    with running(version.parent, "--allow-unverified") as server:
        yield {"rest": server.rest, "grpc": f"grpc://{server.grpc}"}


@pytest.fixture(params=["rest", "grpc"])
def url(request, urls):
    return urls[request.param]


@pytest.fixture
def model_name(version):
    return version.parent.name


def close(found: list[Answer], expected: list[Answer]) -> bool:
    return [(each.label, each.valid) for each in found] == [
        (each.label, each.valid) for each in expected
    ] and [each.probability for each in found] == pytest.approx(
        [each.probability for each in expected], abs=1e-6
    )


def test_the_answers_are_the_models_own(url, version, model_name):
    expected = Model(version).answer(PICTURES)
    with connect(url, model=model_name) as client:
        assert close(client.predict(PICTURES), expected)
        assert close(client.predict(PICTURES[:1]), expected[:1])
        assert client.predict([]) == []


def test_the_asynchronous_client_answers_alike_and_at_once(url, version, model_name):
    expected = Model(version).answer(PICTURES)

    async def ask():
        async with connect_async(url, model=model_name) as client:
            return await asyncio.gather(*(client.predict([picture]) for picture in PICTURES * 5))

    assert close([answer for (answer,) in asyncio.run(ask())], expected * 5)


def test_the_status_names_the_version(url, model_name):
    with connect(url, model=model_name) as client:
        (status,) = client.status()
        assert (status.version, status.state, status.error) == (17, "AVAILABLE", "")


def test_a_version_can_be_asked_for(url, model_name):
    with connect(url, model=model_name, version=17) as client:
        assert len(client.predict(PICTURES)) == 4
    with (
        connect(url, model=model_name, version=5) as client,
        pytest.raises(UserError, match=r"Servable not found for request: Specific\(.*, 5\)"),
    ):
        client.predict(PICTURES)


def test_an_unknown_label_is_told(url, model_name):
    with (
        connect(url, model=model_name, label="no/label") as client,
        pytest.raises(UserError, match=f"{url}, model {model_name}: answers "),
    ):
        client.predict(PICTURES)


def test_an_unknown_model_is_told_at_once(url):
    started_at = time.monotonic()
    with (
        connect(url, model="nope") as client,
        pytest.raises(UserError, match=r"model nope: .*Servable not found .*Latest\(nope\)"),
    ):
        client.predict(PICTURES)
    assert time.monotonic() - started_at < 5


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_a_server_that_is_not_there_is_told_with_what_to_do(scheme):
    with (
        connect(f"{scheme}://127.0.0.1:9", retries=1) as client,
        pytest.raises(UserError, match=r"cannot be reached .* cxr serve MODEL starts one"),
    ):
        client.predict(PICTURES)


def test_threads_share_a_client(url, version, model_name):
    expected = Model(version).answer(PICTURES)
    found = {}
    with connect(url, model=model_name) as client:

        def ask(number):
            found[number] = client.predict(PICTURES)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 8
    assert all(close(each, expected) for each in found.values())


@pytest.mark.parametrize(
    "url", ["ftp://x", "127.0.0.1:8501", "http://", "http://x/v1/models", "grpc://x:port", ""]
)
def test_what_is_no_url_is_told(url):
    with pytest.raises(UserError, match=r"no URL|give http://HOST:8501"):
        connect(url)


def test_a_version_and_a_label_exclude_each_other():
    with pytest.raises(UserError, match="a version or a label, not both"):
        connect("http://x", version=1, label="stable")


def test_the_ports_are_those_of_tensorflow_serving():
    assert wire.Endpoint.of("http://x", "m", None, None).address == "x:8501"
    assert wire.Endpoint.of("grpcs://[::1]", "m", None, None).address == "[::1]:8500"


ROW = {"probability": 0.25, "label": "NORMAL", "valid": True}


class Scripted:
    """A server that answers as it is told, one entry a request."""

    def __init__(self, *script):
        self.script = list(script)
        self.requests = 0
        self.connections = set()
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                scripted.requests += 1
                scripted.connections.add(self.client_address)
                self.rfile.read(int(self.headers["content-length"]))
                step = scripted.script.pop(0) if scripted.script else 200
                if step == "reset":
                    self.close_connection = True
                    self.connection.close()
                    return
                if step == "late":
                    time.sleep(2)
                    step = 200
                status, headers, body = step if isinstance(step, tuple) else (step, {}, None)
                if body is None:
                    body = {"predictions": [ROW]} if status == 200 else {"error": f"said {status}"}
                content = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {**headers, "content-length": len(content)}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


ANSWER = Answer(0.25, "NORMAL", True)


@pytest.mark.parametrize("script", [(503, 503), (429,), ("reset", 503), (503, 429, 503)], ids=str)
def test_what_was_not_computed_is_sent_again(script):
    with Scripted(*script) as server, connect(server.url) as client:
        assert client.predict([b"x"]) == [ANSWER]
        assert server.requests == len(script) + 1


def test_the_asynchronous_client_sends_again_too():
    async def ask(url):
        async with connect_async(url) as client:
            return await client.predict([b"x"])

    with Scripted(503, "reset") as server:
        assert asyncio.run(ask(server.url)) == [ANSWER]
        assert server.requests == 3


@pytest.mark.parametrize("status", [400, 404, 413, 500, 504])
def test_nothing_else_is_sent_again(status):
    with (
        Scripted(status) as server,
        connect(server.url) as client,
        pytest.raises(UserError, match=f"answers {status}: said {status}"),
    ):
        client.predict([b"x"])
    assert server.requests == 1


def test_after_the_last_attempt_the_last_answer_is_told():
    with (
        Scripted(503, 503, 503) as server,
        connect(server.url, retries=2) as client,
        pytest.raises(UserError, match="answers 503: said 503"),
    ):
        client.predict([b"x"])
    assert server.requests == 3


def test_the_servers_own_wait_is_kept():
    with Scripted((429, {"retry-after": 1}, None)) as server, connect(server.url) as client:
        sent = time.monotonic()
        client.predict([b"x"])
        assert time.monotonic() - sent >= 1


def test_a_late_answer_is_told_and_not_asked_for_again():
    with (
        Scripted("late") as server,
        connect(server.url, timeout=0.5) as client,
        pytest.raises(UserError, match=r"did not answer within 0\.5 s"),
    ):
        client.predict([b"x"])
    assert server.requests == 1


def test_the_connection_is_kept():
    with Scripted() as server, connect(server.url) as client:
        for _ in range(5):
            client.predict([b"x"])
        assert server.requests == 5
        assert len(server.connections) == 1


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"predictions": [1.5]}, "is no model of this pipeline"),
        ({"predictions": [{"score": 1}]}, "is no model of this pipeline"),
        ({"outputs": []}, "is no model of this pipeline"),
        ({"predictions": [ROW, ROW]}, "answers 2 rows to 1 pictures"),
    ],
)
def test_another_models_answer_is_told(body, told):
    with (
        Scripted((200, {}, body)) as server,
        connect(server.url) as client,
        pytest.raises(UserError, match=told),
    ):
        client.predict([b"x"])


def test_the_waits_grow_and_are_not_alike():
    waits = [[wire.wait_before(attempt) for _ in range(200)] for attempt in range(8)]
    assert [max(each) for each in waits] == pytest.approx(
        [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5], rel=0.2
    )
    assert len({*waits[0]}) > 100
    assert wire.wait_before(0, told=60) == 5


def test_rest_needs_no_tensorflow():
    code = (
        "import sys; from serving.client import connect; connect('http://127.0.0.1:9'); "
        "print('tensorflow' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"


def test_tools_can_ask_for_the_services(urls):
    from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

    with grpc.insecure_channel(urls["grpc"].removeprefix("grpc://")) as channel:
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        (answer,) = stub.ServerReflectionInfo(iter([request]), timeout=10)
    assert {each.name for each in answer.list_services_response.service} >= {
        "tensorflow.serving.PredictionService",
        "tensorflow.serving.ModelService",
        "grpc.health.v1.Health",
    }


@pytest.fixture(scope="module")
def encrypted(version, tmp_path_factory):
    """A server that wants certificates, and the files of a client that has one."""
    folder = tmp_path_factory.mktemp("encrypted")
    authority = certificates.Authority()
    config = certificates.ssl_config(authority.sign("server"), authority, verify=True)
    (folder / "ssl.config").write_text(str(config))
    (folder / "authority.pem").write_text(authority.certificate)
    certificate, key = certificates.write(folder / "client", authority.sign("client"))
    options = ("--allow-unverified", "--ssl-config-file", folder / "ssl.config")
    with running(version.parent, *options) as server:
        yield (
            {"rest": server.rest, "grpc": f"grpcs://{server.grpc}"},
            Tls(folder / "authority.pem", Path(certificate), Path(key)),
        )


@pytest.mark.parametrize("how", ["rest", "grpc"])
def test_an_encrypted_server_answers_whom_it_knows(encrypted, version, model_name, how):
    addresses, tls = encrypted
    with connect(addresses[how], model=model_name, tls=tls) as client:
        assert close(client.predict(PICTURES), Model(version).answer(PICTURES))


@pytest.mark.parametrize("how", ["rest", "grpc"])
def test_an_encrypted_server_refuses_whom_it_does_not_know(encrypted, model_name, how):
    addresses, tls = encrypted
    without = Tls(tls.authority)
    with (
        connect(addresses[how], model=model_name, tls=without, retries=0) as client,
        pytest.raises(UserError, match="cannot be reached"),
    ):
        client.predict(PICTURES)


@pytest.mark.parametrize("how", ["rest", "grpc"])
def test_a_server_of_an_unknown_authority_is_refused(encrypted, model_name, how):
    addresses, _ = encrypted
    with (
        connect(addresses[how], model=model_name, retries=0) as client,
        pytest.raises(UserError, match="cannot be reached"),
    ):
        client.predict(PICTURES)


@pytest.mark.parametrize("url", ["https://127.0.0.1", "grpcs://127.0.0.1"])
def test_a_file_that_is_not_there_is_told(url, tmp_path):
    with pytest.raises(UserError, match="file of the encryption cannot be used"):
        connect(url, tls=Tls(tmp_path / "nothing.pem"))
