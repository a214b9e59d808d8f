"""2,000 hostile requests beside 500 good ones, to a server that may open few files."""

import itertools
import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from http.client import HTTPConnection

import grpc
import numpy as np
import psutil
import pytest
import tensorflow as tf

from tests.conformance import models
from tests.conformance.clients import b64, strings
from tests.serving import asking, hostile
from tests.serving.asking import MODEL, PREDICT, picture
from tests.serving.hostile import SECONDS, SECRET, Attacker
from tests.serving.running import running
from transform_module import features

pytestmark = [pytest.mark.slow, pytest.mark.e2e]

HOSTILE = 2000
GOOD = 500
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
    message.features.feature[features.IMAGE].bytes_list.value.append(picture(value))
    return message.SerializeToString()


class Client:
    """Asks what is right, in each way, over connections of its own, and never gives up."""

    def __init__(self, server):
        self._server = server

    def ask(self, number):
        """Sends one request; returns how many seconds the right answer took."""
        value = VALUES[number % len(VALUES)]
        started = time.perf_counter()
        (self._rest, self._rpc)[number // 4 % 2](value, number % 3 == 0)
        return time.perf_counter() - started

    def _rest(self, value, is_example):
        body = asking.body(picture(value))
        if is_example:
            instances = [b64(example(value))]
            body = json.dumps({"signature_name": features.SERVE_EXAMPLES, "instances": instances})
        status, content = get(self._server, "POST", PREDICT, body)
        assert status == 200, content
        assert asking.is_right(content, [value])

    def _rpc(self, value, is_example):
        message = asking.request(picture(value))
        if is_example:
            del message.inputs[features.IMAGE_BYTES]
            message.inputs[features.EXAMPLES].CopyFrom(strings([example(value)]))
            message.model_spec.signature_name = features.SERVE_EXAMPLES
        with asking.stub(self._server.grpc) as stub:
            assert asking.is_right_message(stub.Predict(message, timeout=SECONDS), [value])


def get(server, method, path, body=None):
    http = HTTPConnection(*asking.place(server.rest), timeout=SECONDS)
    try:
        http.request(method, path, body)
        response = http.getresponse()
        return response.status, response.read()
    finally:
        http.close()


def test_no_client_hurts_another(server):
    hostile.prepare()
    sent, counted, lock = itertools.count(), Counter(), threading.Lock()
    done = threading.Event()
    process = psutil.Process(server.process.pid)
    most = 0
    options = [("grpc.enable_http_proxy", 0), ("grpc.max_send_message_length", -1)]

    def attack(seed):
        with grpc.insecure_channel(server.grpc, options) as channel:
            attacker = Attacker(server.rest, channel, seed)
            while next(sent) < HOSTILE:
                kind = attacker.attack()
                with lock:
                    counted[kind] += 1
            # Who waits long does so to the end.
            done.wait()
            attacker.close()
            return attacker.answered

    def passed():
        with lock:
            return counted.total()

    def control(path):
        status, _ = get(server, "GET", path)
        assert status == 200, path
        check = b"\x08\x01"  # SERVING, see health.proto
        with grpc.insecure_channel(server.grpc, options) as channel:
            call = channel.unary_unary("/grpc.health.v1.Health/Check")
            assert call(b"", timeout=SECONDS) == check

    with ThreadPoolExecutor(8) as attackers, ThreadPoolExecutor(5) as clients:
        attacks = [attackers.submit(attack, seed) for seed in range(8)]
        client = Client(server)

        def ask(number):
            # Spread over the whole attack.
            while passed() < HOSTILE * number // GOOD - 100:
                time.sleep(0.01)
            if number % 25 == 0:
                control(CONTROL[number // 25 % len(CONTROL)])
            return client.ask(number)

        asked = [clients.submit(ask, number) for number in range(GOOD)]
        try:
            while not all(each.done() for each in asked):
                most = max(most, process.memory_info().rss)
                assert server.process.poll() is None
                assert not any(each.done() for each in attacks)
                time.sleep(0.1)
        finally:
            done.set()
        seconds = np.array([each.result() for each in as_completed(asked)])
        answered = [each.result() for each in attacks]
    p50, p99 = np.percentile(seconds, [50, 99])
    print(  # noqa: T201
        f"good: p50 {p50:.3f} s, p99 {p99:.3f} s, max {seconds.max():.3f} s; "
        f"memory {most / 1e9:.2f} GB; {dict(counted)}"
    )
    assert len(seconds) == GOOD
    # As a bound against a server that stalls; how fast it is tells the benchmark.
    assert seconds.max() < SECONDS / 2
    assert most < MEMORY
    assert len(counted) == len(hostile._KINDS)
    assert all(SECRET.encode() not in each for each in answered)
    log = server.log.read_text(errors="replace")
    assert SECRET not in log
    assert len(log.splitlines()) < LOG_LINES
    assert "A request failed" not in log
    refused = get(server, "GET", "/monitoring/prometheus/metrics")[1].decode()
    for reason in ("rows", "pixels", "body_bytes", "json_values", "header_seconds"):
        assert f':cxr:serving:refused_count{{reason="{reason}"}}' in refused
