"""The embedded server as a process: its limits, its end, new versions, encryption, its log."""

import gzip
import json
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPSConnection,
    IncompleteRead,
    parse_headers,
)

import grpc
import pytest
import tensorflow as tf
from click.testing import CliRunner
from google.protobuf import text_format
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    prediction_service_pb2_grpc,
)

from serving.server.admission.limits import Limits
from serving.versions.push import push
from serving.versions.pushed import MANIFEST, read_manifest, verify
from serving.versions.signature import SIGNATURE, VERIFY_KEY
from tests.serving import certificates, small_model
from tests.serving.running import running
from tests.serving.saved import write_manifest
from tests.serving.small_model import MODEL, PREDICT, xray
from tests.serving.versions import signed
from transform_module import contract

pytestmark = pytest.mark.e2e

BODY_BYTES = Limits().body_bytes
SECONDS = 600  # no case waits as long, unless it fails
FIGURES = "/monitoring/prometheus/metrics"
POLL = ("--poll-seconds", "0.2")


@pytest.fixture(scope="module")
def pushed(version, tmp_path_factory):
    """A model's folder, with a version that was pushed."""
    folder = tmp_path_factory.mktemp("pushed") / MODEL
    write_manifest(shutil.copytree(version, folder / "17"))
    return folder


@pytest.fixture(scope="module")
def server(pushed):
    with running(pushed) as server:
        yield server


def connection(server):
    """A connection to REST that is kept until it is closed."""
    return closing(HTTPConnection(*small_model.place(server.rest), timeout=SECONDS))


def posted(connection, content=None, path=PREDICT, method="POST"):
    connection.request(method, path, content)
    response = connection.getresponse()
    return response.status, response.read()


def error_of(content):
    body = json.loads(content)
    assert list(body) == ["error"]
    return body["error"]


def statuses(server, model=MODEL):
    """What is logged of each version: its state and its error."""
    with connection(server) as http:
        status, content = posted(http, path=f"/v1/models/{model}", method="GET")
    assert status == 200
    return {
        int(each["version"]): (each["state"], each["status"]["error_message"])
        for each in json.loads(content)["model_version_status"]
    }


def grpc_statuses(server):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = MODEL
    with grpc.insecure_channel(server.grpc, [("grpc.enable_http_proxy", 0)]) as channel:
        response = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(request)
    return {each.version: each for each in response.model_version_status}


def until(condition):
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not so after {SECONDS} s"
        time.sleep(0.05)


class TestLimits:
    def test_a_body_too_large_is_refused(self, server):
        with connection(server) as http:
            status, content = posted(http, bytes(BODY_BYTES + 1))
        assert status == 413
        assert error_of(content).startswith(f"The body is larger than {BODY_BYTES} bytes")

    def test_one_that_does_not_show_its_size_too(self, server):
        chunk = bytes(1 << 20)
        with connection(server) as http:
            http.request("POST", PREDICT, iter([chunk] * (BODY_BYTES // len(chunk) + 1)))
            response = http.getresponse()
            assert response.status == 413
            error_of(response.read())

    def test_a_message_too_large_is_refused(self, server):
        with (
            small_model.stub(server.grpc) as stub,
            pytest.raises(grpc.RpcError) as refused,
        ):
            stub.Predict(small_model.request(bytes(BODY_BYTES)), timeout=SECONDS)
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED

    @pytest.mark.parametrize("rows", [3201, 300_000])
    def test_a_request_that_never_fits_is_reported_so(self, server, rows):
        content = b'{"instances":[' + b'"",' * (rows - 1) + b'""]}'
        with connection(server) as http:
            http.request("POST", PREDICT, gzip.compress(content), {"Content-Encoding": "gzip"})
            response = http.getresponse()
            assert response.status == 413
            message = f"The request has {rows} rows; 3200 are the most."
            assert error_of(response.read()) == message

    def test_the_page_the_status_and_the_figures_are_there_however_busy_it_is(self, pushed):
        half = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1234".encode()
        with running(pushed, "--limit", "connections=40", "--limit", "requests=4") as server:
            with ExitStack() as stack:
                for sent in [half, b"GET / HTTP/1.1\r\nHost", b""] * 30:
                    raw = stack.enter_context(
                        socket.create_connection(small_model.place(server.rest), SECONDS)
                    )
                    raw.sendall(sent)
                for path in ("/", f"/v1/models/{MODEL}", FIGURES, "/page/model.json"):
                    with connection(server) as http:
                        assert posted(http, path=path, method="GET")[0] == 200
                with grpc.insecure_channel(server.grpc, [("grpc.enable_http_proxy", 0)]) as channel:
                    check = channel.unary_unary("/grpc.health.v1.Health/Check")
                    assert check(b"", timeout=SECONDS) == b"\x08\x01"
                with connection(server) as http:
                    assert (
                        'reason="connections"'
                        in posted(http, path=FIGURES, method="GET")[1].decode()
                    )
            with connection(server) as http:
                until(lambda: posted(http, small_model.body(xray(51)))[0] == 200)
            log = server.log.read_text()
        assert "Traceback" not in log
        assert len(log.splitlines()) < 50

    def test_who_sends_slowly_is_not_waited_for(self, pushed):
        half = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1234".encode()
        limits = [f"--limit={name}_seconds=1" for name in ("header", "body", "idle")]
        with running(pushed, *limits) as server:
            for sent in (b"", b"POST / HTT", half, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
                with socket.create_connection(small_model.place(server.rest), SECONDS) as raw:
                    raw.sendall(sent)
                    response = b""
                    while part := raw.recv(1 << 16):
                        response += part
                    assert (b" 408 " in response) == (sent == half)


class TestBatch:
    VALUES = tuple(range(0, 256, 8))

    @pytest.mark.parametrize("at", [0, 13, 31])
    def test_a_broken_image_leaves_the_others_as_they_are(self, server, at):
        whole = [xray(value) for value in self.VALUES]
        broken = [*whole[:at], b"broken", *whole[at + 1 :]]
        with connection(server) as http, small_model.stub(server.grpc) as stub:
            rows, damaged = (
                json.loads(posted(http, small_model.body(*each))[1])["predictions"]
                for each in (whole, broken)
            )
            responses, received = (
                list(
                    stub.Predict(small_model.request(*each)).outputs[contract.PROBABILITY].float_val
                )
                for each in (whole, broken)
            )
        assert damaged[at][contract.VALID] is False
        assert damaged[at][contract.PREDICTED_LABEL] == contract.INVALID
        del rows[at], damaged[at], responses[at], received[at]
        assert damaged == rows
        assert received == responses
        assert len(rows) == 31


class TestConnections:
    def test_one_serves_many_requests(self, server):
        with connection(server) as http:
            used = set()
            for value in range(0, 250, 50):
                status, content = posted(http, small_model.body(xray(value)))
                assert status == 200
                assert small_model.is_right(content, [value])
                used.add(http.sock)
            assert posted(http, b"{}")[0] == 400
            assert posted(http, b"{}", "/v1/models/other:predict")[0] in (400, 404)
            used.add(http.sock)
            assert len(used) == 1
            assert None not in used

    def test_requests_that_follow_each_other_get_responses_in_order(self, server):
        values = (0, 51, 255)
        sent = b"".join(
            f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n".encode()
            + content
            for content in (small_model.body(xray(value)) for value in values)
        )
        with socket.create_connection(small_model.place(server.rest), SECONDS) as raw:
            raw.sendall(sent)
            file = raw.makefile("rb")
            for value in values:
                assert b" 200 " in file.readline()
                headers = parse_headers(file)
                assert small_model.is_right(file.read(int(headers["Content-Length"])), [value])

    def test_one_that_is_not_to_be_kept_is_closed(self, server):
        with connection(server) as http:
            http.request("POST", PREDICT, small_model.body(xray(51)), {"Connection": "close"})
            response = http.getresponse()
            assert response.status == 200
            assert response.will_close


class TestDeadline:
    def test_it_holds_over_grpc(self, server):
        large = small_model.request(*[xray(51, 2500)] * 32)
        with small_model.stub(server.grpc) as stub:
            with pytest.raises(grpc.RpcError) as refused:
                stub.Predict(large, timeout=0.05)
            assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            response = stub.Predict(small_model.request(xray(51)), timeout=SECONDS)
            assert small_model.is_right_message(response, [51])


class TestLog:
    def test_it_holds_no_names_and_no_images(self, server):
        secret = "Patient-MONOHR1"
        noise = secret.encode() * 50
        with connection(server) as http:
            for content in (
                small_model.body(xray(51), noise, b"\x89PNG" + noise),
                json.dumps({"instances": [{secret: secret}]}),
                json.dumps({"inputs": secret, "signature_name": secret}),
                f'{{"instances": [{secret}',
                json.dumps({"instances": [{"b64": secret * 100}]}),
            ):
                assert posted(http, content)[0] in (200, 400)
            for path in (f"/v1/models/{secret}:predict", f"/{secret}.png", f"{PREDICT}?{secret}"):
                assert posted(http, b"{}", path)[0] in (400, 404)
        for sent in (
            f"{secret}\r\n\r\n",
            f"GET /{secret} {secret}\r\n\r\n",
            f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\n{secret}\r\n\r\n",
            f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{secret}\r\n",
        ):
            with socket.create_connection(small_model.place(server.rest), SECONDS) as raw:
                raw.sendall(sent.encode())
                raw.shutdown(socket.SHUT_WR)
                while raw.recv(1 << 16):
                    pass
        with small_model.stub(server.grpc) as stub:
            for change in ("model", "signature", "input", "image"):
                message = small_model.request(b"\x89PNG" + noise)
                if change == "model":
                    message.model_spec.name = secret
                elif change == "signature":
                    message.model_spec.signature_name = secret
                elif change == "input":
                    message.inputs[secret].CopyFrom(message.inputs[contract.IMAGE_BYTES])
                with pytest.raises(grpc.RpcError):
                    stub.Predict(message, timeout=SECONDS)
        log = server.log.read_text(errors="replace")
        assert "REST" in log
        assert secret not in log
        assert json.loads(small_model.body(noise))["instances"][0]["b64"][:60] not in log
        assert "Traceback" not in log


@dataclass
class Seen:
    """What the clients of a server saw."""

    right: int = 0
    not_connected: int = 0
    closed: int = 0
    bad: list[str] = field(default_factory=list)


class Load:
    """Threads that send without a pause, over REST and gRPC, until they are stopped."""

    IMAGES = ((51, 600), (204, 900), (255, 40))

    def __init__(self, server, rest=12, rpc=4):
        self.seen = Seen()
        self.versions = set()
        self._server = server
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        targets = [self._rest] * rest + [self._rpc] * rpc
        self._threads = [threading.Thread(target=target) for target in targets]
        self._values = [value for value, _ in self.IMAGES]
        self._images = [xray(*each) for each in self.IMAGES]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self._stopped.set()
        for thread in self._threads:
            thread.join(SECONDS)
        assert not any(thread.is_alive() for thread in self._threads)

    def _count(self, outcome, bad=""):
        with self._lock:
            if bad:
                self.seen.bad.append(f"{outcome}: {bad}")
            else:
                setattr(self.seen, outcome, getattr(self.seen, outcome) + 1)

    def _rest(self):
        content = small_model.body(*self._images)
        http = HTTPConnection(*small_model.place(self._server.rest), timeout=SECONDS)
        received = 0  # on this connection
        while not self._stopped.is_set():
            if http.sock is None:
                received = 0
                try:
                    http.connect()
                except OSError:
                    self._count("not_connected")
                    time.sleep(0.02)
                    continue
            try:
                status, response = posted(http, content)
            except (IncompleteRead, json.JSONDecodeError) as error:
                self._count("truncated", repr(error))
            except (OSError, HTTPException) as error:
                # Of a new connection nothing was read: the server closed it as it was.
                self._count("closed", "" if received == 0 else f"{error!r} after {received}")
                http.close()
            else:
                if status == 200 and small_model.is_right(response, self._values):
                    self._count("right")
                else:
                    self._count("response", f"{status} {response[:200]!r}")
                received += 1
        http.close()

    def _rpc(self):
        message = small_model.request(*self._images)
        with small_model.stub(self._server.grpc) as stub:
            while not self._stopped.is_set():
                try:
                    response = stub.Predict(message, timeout=SECONDS)
                except grpc.RpcError as error:
                    # CANCELLED is what had come but was not begun as the server ended:
                    # https://github.com/grpc/grpc/issues/41785
                    if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
                        self._count("not_connected")
                        time.sleep(0.02)
                    else:
                        self._count("call", f"{error.code()} {error.details()}")
                    continue
                if small_model.is_right_message(response, self._values):
                    self._count("right")
                    self.versions.add(response.model_spec.version.value)
                else:
                    self._count("response", str(response)[:200])


def endless(folder):
    """Saves a model that computes for hours."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name=contract.IMAGE_BYTES)])
    def serve(image_bytes):
        (count,) = tf.while_loop(
            lambda number: number < 10**12, lambda number: [number + 1], [tf.constant(0, tf.int64)]
        )
        return {
            contract.PROBABILITY: tf.zeros_like(image_bytes, tf.float32)
            + tf.cast(count, tf.float32)
        }

    model = tf.Module()
    model.serve = serve
    tf.saved_model.save(model, str(folder), signatures={contract.SERVING_DEFAULT: serve})


class TestEnd:
    def test_what_was_accepted_is_finished(self, pushed):
        with running(pushed, "--grace-seconds", "20") as server:
            with Load(server) as load:
                until(lambda: load.seen.right > 200)
                before = load.seen.right
                server.process.send_signal(signal.SIGTERM)
                code = server.process.wait(SECONDS)
                until(lambda: load.seen.not_connected > 16)
            log = server.log.read_text(errors="replace")
        assert code == 0
        assert load.seen.bad == []
        assert load.seen.right > before
        assert load.seen.closed <= 16
        assert "Stopping: finishing accepted requests." in log
        assert "Traceback" not in log
        assert "Error" not in log

    def test_a_request_that_takes_long_is_finished(self, pushed):
        slow = small_model.request(*[xray(51, 2500)] * 32)
        content = small_model.body(*[xray(51, 2500)] * 32)
        responses = []
        with running(pushed) as server:

            def rest():
                with connection(server) as http:
                    status, response = posted(http, content)
                    responses.append(status == 200 and small_model.is_right(response, [51] * 32))

            def rpc():
                with small_model.stub(server.grpc) as stub:
                    response = stub.Predict(slow, timeout=SECONDS)
                    responses.append(small_model.is_right_message(response, [51] * 32))

            threads = [threading.Thread(target=target) for target in (rest, rpc)]
            for thread in threads:
                thread.start()
            time.sleep(0.15)
            server.process.send_signal(signal.SIGTERM)
            for thread in threads:
                thread.join(SECONDS)
            assert server.process.wait(SECONDS) == 0
        assert responses == [True, True]

    def test_what_never_ends_is_not_waited_for(self, tmp_path):
        endless(tmp_path / "endless" / "1")
        with running(
            tmp_path / "endless", "--allow-unverified", "--grace-seconds", "1.5"
        ) as server:
            with connection(server) as http:
                http.request("POST", "/v1/models/endless:predict", small_model.body(b"x"))
                message = small_model.request(b"x")
                message.model_spec.name = "endless"
                with small_model.stub(server.grpc) as stub, pytest.raises(grpc.RpcError) as refused:
                    stub.Predict(message, timeout=2)  # behind the other one, which runs
                assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
                server.process.send_signal(signal.SIGTERM)
                assert server.process.wait(SECONDS) == 1
            assert "the grace of 1.5 s has passed" in server.log.read_text()
            assert "Traceback" not in server.log.read_text()

    def test_ctrl_c_ends_it_too_whatever_connections_there_are(self, pushed):
        with (
            running(pushed) as server,
            socket.create_connection(small_model.place(server.rest), SECONDS),
            connection(server) as http,
        ):
            assert posted(http, small_model.body(xray(51)))[0] == 200
            server.process.send_signal(signal.SIGINT)
            assert server.process.wait(SECONDS) == 0
            assert "Traceback" not in server.log.read_text()


class TestCommand:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--rest-port", "70000"], "70000 is not in the range 0<=x<=65535"),
            (["--poll-seconds", "0"], "0 is not in the range x>=0.05"),
            (["--limit", "nope=1"], "the names are body_bytes, memory_bytes"),
            (["--limit", "requests"], "nothing is not a whole number"),
            (["--limit", "requests=0"], "must be at least 1, is 0"),
        ],
    )
    def test_a_wrong_option_is_reported(self, pushed, options, message):
        from pipeline.cli.commands.serve_command import serve

        result = CliRunner(env={"LD_PRELOAD": ""}).invoke(serve, [str(pushed), *options])
        assert result.exit_code in (1, 2)
        assert message in " ".join(result.output.split())

    def test_a_folder_that_is_missing_is_waited_for(self, version, tmp_path):
        folder, config = tmp_path / "later" / MODEL, tmp_path / "models.config"
        config.write_text(
            f'model_config_list {{ config {{ name: "{MODEL}" base_path: "{folder}" }} }}'
        )
        with running("--model-config-file", config, *POLL) as server:
            log = server.log.read_text()
            assert f"Model {MODEL} is not served: no version in {folder} was loaded." in log
            assert f"/v1/models/{MODEL}" not in log
            folder.mkdir(parents=True)
            write_manifest(shutil.copytree(version, folder / "17"))
            with connection(server) as http:
                until(lambda: posted(http, small_model.body(xray(51)))[0] == 200)


class TestTakenPort:
    def test_it_is_reported(self, pushed):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            commands = {
                name: [
                    *(sys.executable, "-m", "pipeline.cli.commands.serve_command", str(pushed)),
                    *("--rest-port", "0", "--grpc-port", "0", f"--{name}-port", str(port)),
                ]
                for name in ("rest", "grpc")
            }
            ended = {
                name: subprocess.Popen(
                    command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
                )
                for name, command in commands.items()
            }
            said = {
                name: process.communicate(timeout=SECONDS)[0] for name, process in ended.items()
            }
        for name, label in {"rest": "REST", "grpc": "gRPC"}.items():
            assert ended[name].returncode == 1
            assert f"Error: {label} cannot listen at 127.0.0.1:{port}: " in said[name]
            assert "Choose another port; 0 takes a free one." in said[name]
            assert "Traceback" not in said[name]
            assert "exception" not in said[name].lower()


class TestVersions:
    def test_new_ones_are_served_without_a_failed_request(self, version, tmp_path):
        folder, source = tmp_path / MODEL, tmp_path / "source"
        write_manifest(shutil.copytree(version, folder / "17"))
        shutil.copytree(version, source)
        with running(folder, *POLL) as server, Load(server, rest=4, rpc=4) as load:
            until(lambda: load.versions == {17})
            assert statuses(server) == {17: ("AVAILABLE", "")}

            (source / contract.MODEL_RECORD).write_text('{"labels": [], "threshold": 0.6}')
            new = push(source, folder, {}).version
            until(lambda: new in load.versions)
            until(lambda: statuses(server)[17][0] == "END")
            assert statuses(server) == {17: ("END", ""), new: ("AVAILABLE", "")}

            unfinished = shutil.copytree(folder / str(new), folder / ".tmp-9")
            (data,) = unfinished.glob("variables/variables.data*")
            data.write_bytes(data.read_bytes()[:2])
            broken = new + 1
            unfinished.rename(folder / str(broken))
            until(lambda: statuses(server).get(broken, ("",))[0] == "END")
            found = statuses(server)
            assert found[new] == ("AVAILABLE", "")
            assert re.match(rf"{folder / str(broken)}/variables/.*: SHA-256 is ", found[broken][1])
            printed = grpc_statuses(server)
            assert printed[broken].status.error_code == grpc.StatusCode.UNKNOWN.value[0]
            assert "SHA-256" in printed[broken].status.error_message

            count = load.seen.right
            until(lambda: load.seen.right > count + 50)
            assert f"Version {broken} of {MODEL} is not served" in server.log.read_text()
            assert load.versions == {17, new}
        assert load.seen.bad == []
        assert (load.seen.closed, load.seen.not_connected) == (0, 0)

    def test_an_unsigned_version_hides_no_older_signed_one(self, version, tmp_path, monkeypatch):
        keys = signed.keys(tmp_path / "keys")
        folder = tmp_path / "push" / MODEL
        first = push(version, folder, {}, signing=keys.settings)
        newer = shutil.copytree(first.path, folder / f"{first.version + 1}")
        (newer / SIGNATURE).unlink()
        manifest = read_manifest(newer) | {"version": int(newer.name)}
        (newer / MANIFEST).write_text(json.dumps(manifest))
        assert verify(newer) == []
        monkeypatch.setenv(VERIFY_KEY, str(keys.public))
        with running(folder) as server:
            found = statuses(server)
            assert found[first.version] == ("AVAILABLE", "")
            assert found[int(newer.name)][0] == "END"
            assert f"{newer / SIGNATURE}: the version is not signed" in found[int(newer.name)][1]

    def test_what_was_not_pushed_is_not_served(self, version):
        model = version.parent.name
        with running(version.parent) as server:
            state, error = statuses(server, model)[17]
            assert state == "END"
            assert "the manifest is missing or cannot be read" in error
            assert "allow unverified models" in error
            with connection(server) as http:
                status, content = posted(
                    http, small_model.body(xray(51)), f"/v1/models/{model}:predict"
                )
            assert status == 404
            assert error_of(content) == "No version of this model is available."
            assert "the manifest is missing" in server.log.read_text()


class TestEncryption:
    AUTHORITY = certificates.Authority()

    @pytest.fixture(scope="class")
    def encrypted(self, pushed, tmp_path_factory):
        file = tmp_path_factory.mktemp("ssl") / "ssl.config"
        config = certificates.ssl_config(self.AUTHORITY.sign("server"), self.AUTHORITY, verify=True)
        file.write_text(text_format.MessageToString(config))
        with running(pushed, "--ssl-config-file", file) as server:
            yield server

    CLIENTS = (
        (AUTHORITY.sign("client"), True),
        (certificates.Authority("other").sign("stranger"), False),
        (None, False),
    )

    @pytest.mark.parametrize(("pair", "is_let_in"), CLIENTS, ids=["known", "stranger", "nobody"])
    def test_rest(self, encrypted, tmp_path, pair, is_let_in):
        assert encrypted.rest.startswith("https://127.0.0.1:")
        context = ssl.create_default_context(cadata=self.AUTHORITY.certificate)
        if pair:
            context.load_cert_chain(*certificates.write(tmp_path, pair))
        place = small_model.place(encrypted.rest)
        client = HTTPSConnection(*place, timeout=SECONDS, context=context)
        with closing(client):
            if is_let_in:
                status, content = posted(client, small_model.body(xray(51)))
                assert status == 200
                assert small_model.is_right(content, [51])
            else:
                with pytest.raises((ssl.SSLError, OSError, HTTPException)):
                    posted(client, small_model.body(xray(51)))

    @pytest.mark.parametrize(("pair", "is_let_in"), CLIENTS, ids=["known", "stranger", "nobody"])
    def test_grpc(self, encrypted, pair, is_let_in):
        own = (pair.key.encode(), pair.certificate.encode()) if pair else ()
        credentials = grpc.ssl_channel_credentials(self.AUTHORITY.certificate.encode(), *own)
        options = [("grpc.enable_http_proxy", 0)]
        with grpc.secure_channel(encrypted.grpc, credentials, options) as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            if is_let_in:
                response = stub.Predict(small_model.request(xray(51)), timeout=SECONDS)
                assert small_model.is_right_message(response, [51])
            else:
                with pytest.raises(grpc.RpcError) as refused:
                    stub.Predict(small_model.request(xray(51)), timeout=SECONDS)
                assert refused.value.code() is grpc.StatusCode.UNAVAILABLE

    def test_in_the_clear_nobody_gets_a_response(self, encrypted):
        with connection(encrypted) as http, pytest.raises((OSError, HTTPException)):
            posted(http, small_model.body(xray(51)))
        with small_model.stub(encrypted.grpc) as stub, pytest.raises(grpc.RpcError) as refused:
            stub.Predict(small_model.request(xray(51)), timeout=SECONDS)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
