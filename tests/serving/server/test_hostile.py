"""2,000 hostile requests beside 500 good ones, to a server that may open few files."""

import json
from http.client import HTTPConnection

import grpc
import pytest
import tensorflow as tf

from tests.conformance import models
from tests.conformance.clients import b64, strings
from tests.serving import hostile, small_model
from tests.serving.hostile import SECONDS, SECRET
from tests.serving.running import running
from tests.serving.small_model import MODEL, PREDICT, xray
from transform_module import contract

pytestmark = [pytest.mark.slow, pytest.mark.e2e]

FILES = 1024
MEMORY = 2_000_000_000
LOG_LINES = 300
VALUES = (0, 51, 204, 255)
CONTROL = (
    f"/v1/models/{MODEL}",
    f"/v1/models/{MODEL}/metadata",
    "/monitoring/prometheus/metrics",
    "/page/model.json",
    "/",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile") / MODEL
    models.save(folder / str(models.VERSION))
    with running(folder, "--allow-unverified", files=FILES) as server:
        yield server


def example(value):
    message = tf.train.Example()
    message.features.feature[contract.IMAGE].bytes_list.value.append(xray(value))
    return message.SerializeToString()


class Client:
    """Asks what is right, in each way, over connections of its own, and never gives up."""

    def __init__(self, server):
        self._server = server

    def send(self, number):
        """Sends one request, and checks the response."""
        value = VALUES[number % len(VALUES)]
        (self._rest, self._rpc)[number // 4 % 2](value, number % 3 == 0)

    def _rest(self, value, is_example):
        body = small_model.body(xray(value))
        if is_example:
            instances = [b64(example(value))]
            body = json.dumps({"signature_name": contract.SERVE_EXAMPLES, "instances": instances})
        status, content = get(self._server, "POST", PREDICT, body)
        assert status == 200, content
        assert small_model.is_right(content, [value])

    def _rpc(self, value, is_example):
        message = small_model.request(xray(value))
        if is_example:
            del message.inputs[contract.IMAGE_BYTES]
            message.inputs[contract.EXAMPLES].CopyFrom(strings([example(value)]))
            message.model_spec.signature_name = contract.SERVE_EXAMPLES
        with small_model.stub(self._server.grpc) as stub:
            assert small_model.is_right_message(stub.Predict(message, timeout=SECONDS), [value])


def get(server, method, path, body=None):
    http = HTTPConnection(*small_model.place(server.rest), timeout=SECONDS)
    try:
        http.request(method, path, body)
        response = http.getresponse()
        return response.status, response.read()
    finally:
        http.close()


def test_no_client_hurts_another(server):
    client = Client(server)

    def send(number):
        if number % 25 == 0:
            control(server, CONTROL[number // 25 % len(CONTROL)])
        client.send(number)

    outcome = hostile.attack(server, send)
    print(outcome, dict(outcome.kinds))  # noqa: T201
    # A bound against a server that stalls; how fast it is, the benchmark says.
    assert outcome.seconds[-1] < SECONDS / 2
    assert outcome.memory < MEMORY
    assert len(outcome.kinds) == len(hostile.KINDS)
    assert SECRET.encode() not in outcome.received
    log = server.log.read_text(errors="replace")
    assert SECRET not in log
    assert len(log.splitlines()) < LOG_LINES
    assert "A request failed" not in log
    figures = get(server, "GET", "/monitoring/prometheus/metrics")[1].decode()
    for reason in ("rows", "pixels", "body_bytes", "json_values"):
        assert f':cxr:serving:refused_count{{reason="{reason}"}}' in figures


def control(server, path):
    """Sends what must get a response whatever is predicted."""
    status, _ = get(server, "GET", path)
    assert status == 200, path
    with grpc.insecure_channel(server.grpc, [("grpc.enable_http_proxy", 0)]) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        assert check(b"", timeout=SECONDS) == b"\x08\x01"  # SERVING, see health.proto
