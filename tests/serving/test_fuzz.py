"""The embedded server under 2,000 damaged requests: JSON, HTTP and gRPC, from a seed."""

import base64
import contextlib
import gzip
import json
import random
import re
import socket
import zlib
from http.client import HTTPConnection
from typing import ClassVar

import grpc
import psutil
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    predict_pb2,
    regression_pb2,
)

from tests.conformance import models
from tests.serving import asking
from tests.serving.asking import MODEL, PREDICT, picture
from tests.serving.running import running
from transform_module import features

pytestmark = [pytest.mark.slow, pytest.mark.e2e]

SEED = 20
COUNT = 2000
SECONDS = 60
GROWTH = 0.05
REFUSALS = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
)
SIGNATURES = (
    features.SERVING_DEFAULT,
    features.SERVE_EXAMPLES,
    models.TYPED,
    models.MATRIX,
    models.UNEVEN,
    models.TOTAL,
    models.CLASSIFY,
    models.REGRESS,
    *map(models.identity, models.IDENTITY_TYPES),
)


class Json:
    """Bodies that were right once."""

    def __init__(self, chance: random.Random):
        self.chance = chance

    def whole(self):
        chance, b64 = self.chance, {"b64": base64.b64encode(picture(51)).decode()}
        typed = {"integer": 1, "number": 1.5, "flag": True, "text": "one"}
        return chance.choice(
            [
                {"instances": [b64, b64]},
                {"instances": [{features.IMAGE_BYTES: b64}]},
                {"inputs": [b64]},
                {"inputs": {features.IMAGE_BYTES: [b64, b64]}},
                {"signature_name": models.TYPED, "instances": [typed, typed]},
                {
                    "signature_name": models.TYPED,
                    "inputs": {name: [value] * 2 for name, value in typed.items()},
                },
                {"signature_name": models.MATRIX, "instances": [[1.0, 2.0], [3.0, 4.0]]},
                {"signature_name": models.UNEVEN, "inputs": {"left": [1.0], "right": [2.0, 3.0]}},
                {"signature_name": models.CLASSIFY, "examples": [{"x": 0.5}], "context": {"y": 1}},
                {"signature_name": models.REGRESS, "examples": [{"x": [0.5]}, {}]},
                *(
                    {"signature_name": models.identity(name), "instances": [0, 1, 2]}
                    for name in models.IDENTITY_TYPES
                ),
            ]
        )

    def text(self):
        size = self.chance.choice([0, 1, 5, 200])
        planes = [(0, 0x20), (0x20, 0x7F), (0xD800, 0xE000), (0x80, 0xFFFF), (0x10000, 0x10FFFF)]
        low, high = self.chance.choice(planes)
        return "".join(chr(self.chance.randrange(low, high)) for _ in range(size))

    def junk(self):
        chance = self.chance
        kind = chance.randrange(12)
        if kind == 0:
            return chance.choice([None, True, False, [], {}, "", [[]], [{}], {"b64": ""}])
        if kind == 1:
            return chance.choice([10**30, -(10**30), 2**63, 2**64, -(2**63) - 1, 10**400])
        if kind == 2:
            return chance.choice([1e308, -1e308, 5e-324, 1e39, float("nan"), float("inf"), -0.0])
        if kind == 3:
            return self.text()
        if kind == 4:
            return {"b64": chance.choice([self.text(), "A", "AAA", "A=A=", 5, None, [], "====="])}
        if kind == 5:
            text = base64.b64encode(picture(51)).decode()
            return {"b64": text[: chance.randrange(len(text))]}
        if kind == 6:
            value = chance.choice([1, "x", []])
            for _ in range(chance.choice([5, 70, 300, 900])):
                value = [value] if chance.random() < 0.9 else {"x": value}
            return value
        if kind == 7:
            return {self.text(): self.text(), "b64": "AA=="}
        if kind == 8:
            return [chance.choice([1, 1.5, "x", None, [1], True]) for _ in range(5)]
        if kind == 9:
            return [1] * chance.choice([1, 33, 5000])
        if kind == 10:
            return {"b64": base64.b64encode(chance.randbytes(50)).decode()}
        return chance.randrange(-300, 300)

    def change(self, value):
        """Replaces, removes, adds or repeats something, at any depth."""
        if isinstance(value, list | dict) and value and self.chance.random() < 0.75:
            keys = list(range(len(value))) if isinstance(value, list) else list(value)
            key = self.chance.choice(keys)
            kind = self.chance.randrange(5)
            if kind == 0:
                del value[key]
            elif kind == 1 and isinstance(value, dict):
                value[self.chance.choice([self.text(), "inputs", "examples"])] = value.pop(key)
            elif kind == 2 and isinstance(value, list):
                value.extend([value[key]] * self.chance.choice([1, 40]))
            else:
                value[key] = self.change(value[key])
            return value
        return self.junk()

    def body(self):
        value = json.loads(json.dumps(self.whole()))
        for _ in range(self.chance.choice([0, 1, 1, 2, 4])):
            value = self.change(value)
        content = bytearray(json.dumps(value).encode())
        kind = self.chance.randrange(8)
        if kind == 0:
            del content[self.chance.randrange(len(content) + 1) :]
        elif kind == 1:
            for _ in range(self.chance.randrange(1, 5)):
                content[self.chance.randrange(len(content))] = self.chance.randrange(256)
        elif kind == 2:
            at = self.chance.randrange(len(content) + 1)
            content[at:at] = self.chance.randbytes(self.chance.choice([1, 3, 50]))
        return bytes(content)

    def path(self):
        model = f"/v1/models/{MODEL}"
        version = self.chance.choice(["17", "9" * 30, "x", "-1"])
        label = self.chance.choice(["a", "%00", "..", "%F0%9F"])
        name = self.chance.choice(["%", "%zz", "%2F", "%FF", "a" * 3000, ""])
        verb = self.chance.choice(["", "nope", "predict:predict", "predict%0a"])
        return self.chance.choice(
            [
                f"{model}/versions/{version}:predict",
                f"{model}/labels/{label}:predict",
                f"/v1/models/{name}:predict",
                f"{model}:{verb}",
                self.chance.choice(["/", "//", "/v1", "/v2/models", "/v1/models/", "/../x", "*"]),
            ]
        )

    def request(self):
        """Method, path, body and headers."""
        chance, content, headers = self.chance, self.body(), {}
        kind = chance.randrange(16)
        if kind in (0, 1):
            packed = gzip.compress(content) if kind else zlib.compress(content)
            headers["Content-Encoding"] = "gzip" if kind else "deflate"
            content = packed[: chance.choice([len(packed), len(packed) // 2, 3, 0])]
        elif kind == 2:
            headers["Content-Encoding"] = chance.choice(["gzip", "deflate", "br", "zstd", "x", ""])
        elif kind == 3:
            headers["Content-Type"] = chance.choice(
                ["text/plain", "multipart/form-data", "application/json; charset=nope", "x" * 999]
            )
        verb = chance.choice(["predict", "predict", "predict", "classify", "regress"])
        if b"examples" in content and chance.random() < 0.8:
            verb = chance.choice(["classify", "regress"])
        path = f"/v1/models/{MODEL}:{verb}"
        if chance.random() < 0.1:
            path = self.path()
        return chance.choice(["POST"] * 20 + ["GET", "PUT", "HEAD", "NOPE"]), path, content, headers


class Http:
    """What is no HTTP, or nearly."""

    def __init__(self, chance: random.Random):
        self.chance = chance
        self.good = self.posted(asking.body(picture(51)))

    def posted(self, content, *headers, length=None):
        length = len(content) if length is None else length
        lines = [f"POST {PREDICT} HTTP/1.1", "Host: x", *headers]
        lines += [] if length == "" else [f"Content-Length: {length}"]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + content

    def sent(self):
        chance = self.chance
        content = asking.body(picture(51))
        kind = chance.randrange(14)
        if kind == 0:
            return chance.randbytes(chance.choice([1, 20, 5000]))
        if kind == 1:
            line = chance.choice(
                ["GET", "GET /", "GET / HTTP/9.9", "GET / HTTP/1", "G\0T / HTTP/1.1",
                 " GET / HTTP/1.1", "GET  / HTTP/1.1", "GET /\u00e9 HTTP/1.1", "PRI * HTTP/2.0",
                 "/ GET HTTP/1.1", "GET http://[::1 HTTP/1.1", "GET //[ HTTP/1.1",
                 "CONNECT x:1 HTTP/1.1", "OPTIONS * HTTP/1.1", "GET / HTTP/1.1 x",
                 "GET /" + "a" * 9000 + " HTTP/1.1"]
            )  # fmt: skip
            return line.encode() + b"\r\nHost: x\r\n\r\n"
        if kind == 2:
            header = chance.choice(
                ["Nope", ": x", "A B: x", "A: " + "x" * 9000, "A\0: x", "A: \0", "A: x\ny",
                 " folded", "Host: y", "Content-Length: 5", "Expect: 100-continue",
                 "Upgrade: websocket",
                 "Connection: upgrade, close", "Transfer-Encoding: gzip", "Cookie: " + "a=b;" * 900]
            )  # fmt: skip
            return self.posted(content, header)
        if kind == 3:
            length = chance.choice(["-1", "+5", "5, 5", "0x10", "1e3", "9" * 30, "", " ", "5 5"])
            return self.posted(content, length=length)
        if kind == 4:
            return self.posted(
                content, length=max(0, len(content) + chance.choice([-9, -1, 1, 999]))
            )
        if kind == 5:
            chunks = chance.choice(
                [b"zz\r\nx\r\n0\r\n\r\n", b"5\r\nabc\r\n0\r\n\r\n", b"-1\r\n\r\n", b"0\r\n",
                 b"\r\n", b"f" * 40 + b"\r\n", b"3;a=b\r\nabc\r\n0\r\nA: b\r\n\r\n",
                 b"3\nabc\n0\n\n",
                 b"1\r\nx\r\n" * 500]
            )  # fmt: skip
            return self.posted(chunks, "Transfer-Encoding: chunked", length="")
        if kind == 6:
            return self.posted(content, "Transfer-Encoding: chunked")
        if kind == 7:
            return self.good[: chance.randrange(len(self.good))]
        if kind == 8:
            return self.good * chance.randrange(2, 6)
        if kind == 9:
            return self.good + chance.randbytes(30)
        if kind == 10:
            changed = bytearray(self.good)
            for _ in range(chance.randrange(1, 6)):
                changed[chance.randrange(150)] = chance.randrange(256)
            return bytes(changed)
        if kind == 11:
            return self.posted(content, *(f"H{number}: x" for number in range(300)))
        if kind == 12:
            return bytes.fromhex("16030100c8010000c40303") + chance.randbytes(200)
        return self.good.replace(b"\r\n", chance.choice([b"\n", b"\r", b"\r\r\n", b"\n\r"]))


class Rpc:
    """Messages that were right once, and bytes that never were."""

    METHODS: ClassVar = {
        "PredictionService/Predict": predict_pb2.PredictRequest,
        "PredictionService/Classify": classification_pb2.ClassificationRequest,
        "PredictionService/Regress": regression_pb2.RegressionRequest,
        "PredictionService/GetModelMetadata": get_model_metadata_pb2.GetModelMetadataRequest,
        "ModelService/GetModelStatus": get_model_status_pb2.GetModelStatusRequest,
        "ModelService/HandleReloadConfigRequest": model_management_pb2.ReloadConfigRequest,
    }

    def __init__(self, chance: random.Random):
        self.chance = chance

    def tensor(self):
        chance = self.chance
        proto = tensor_pb2.TensorProto(dtype=chance.choice([*range(25), 101, 107, 999, -1]))
        if chance.random() < 0.5:
            proto.dtype = chance.choice([types_pb2.DT_STRING, types_pb2.DT_FLOAT])
        for _ in range(chance.choice([0, 1, 1, 1, 2, 3, 70])):
            sizes = [0, 1, 2, 3, 33, 5000, -1, 2**31, 2**62, 2**63 - 1, -(2**63)]
            proto.tensor_shape.dim.add(size=chance.choice(sizes))
        proto.tensor_shape.unknown_rank = chance.random() < 0.1
        values = chance.choice(
            [
                {"string_val": [picture(51), chance.randbytes(9), b""][: chance.randrange(4)]},
                {"float_val": [1.5] * chance.randrange(4)},
                {"int_val": [chance.choice([1, -1, 300, 2**31 - 1])]},
                {"bool_val": [True]},
                {"int64_val": [2**63 - 1]},
                {"tensor_content": chance.randbytes(chance.choice([1, 4, 8, 100]))},
                {"tensor_content": b"\xff" * 3000},
                {"half_val": [70000]},
                {"scomplex_val": [1.0]},
            ]
        )
        proto.MergeFrom(tensor_pb2.TensorProto(**values))
        return proto

    def spec(self, spec):
        chance = self.chance
        spec.name = chance.choice([MODEL] * 9 + ["", "other", "\0"])
        spec.signature_name = chance.choice([*SIGNATURES, "", "nope"])
        if chance.random() < 0.15:
            spec.version.value = chance.choice([models.VERSION, -1, 2**63 - 1])
        elif chance.random() < 0.1:
            spec.version_label = chance.choice(["", "stable", "\x7f"])

    def message(self, kind):
        chance, message = self.chance, kind()
        if kind is model_management_pb2.ReloadConfigRequest:
            # Always refused, because the path is none; what is right would change the server.
            configs = message.config.model_config_list.config
            for _ in range(chance.randrange(1, 4)):
                configs.add(
                    name=chance.choice([MODEL, "", "x"]), base_path=chance.choice(["", "x"])
                )
            return message
        if chance.random() < 0.95:
            self.spec(message.model_spec)
        if kind is predict_pb2.PredictRequest:
            names = (features.IMAGE_BYTES, features.EXAMPLES, "x", "left", "right", "integer", "")
            for name in chance.sample(names, chance.choice([0, 1, 1, 1, 2, 4])):
                message.inputs[name].CopyFrom(self.tensor())
            if chance.random() < 0.1:
                message.output_filter.extend(chance.choice([["y"], ["y", "y"], ["valid"], [""]]))
        elif kind in (classification_pb2.ClassificationRequest, regression_pb2.RegressionRequest):
            if chance.random() < 0.5:
                message.model_spec.signature_name = chance.choice([models.CLASSIFY, models.REGRESS])
            given = message.input.example_list
            if chance.random() < 0.3:
                given = message.input.example_list_with_context
            for _ in range(chance.choice([0, 1, 2, 40])):
                feature = given.examples.add().features.feature["x"]
                feature.MergeFrom(
                    chance.choice(
                        [
                            tf.train.Feature(),
                            tf.train.Feature(float_list=tf.train.FloatList(value=[0.5])),
                            tf.train.Feature(float_list=tf.train.FloatList(value=[0.5] * 3)),
                            tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"\xff"])),
                            tf.train.Feature(int64_list=tf.train.Int64List(value=[2**63 - 1])),
                        ]
                    )
                )
        elif kind is get_model_metadata_pb2.GetModelMetadataRequest:
            message.metadata_field.extend(
                chance.choice([[], ["signature_def"], ["nope"], ["", ""]])
            )
        return message

    def request(self):
        """The method's path and the bytes of a message."""
        chance = self.chance
        method, kind = chance.choice(
            [*self.METHODS.items()]
            + [("PredictionService/Predict", predict_pb2.PredictRequest)] * 6
        )
        path = f"/tensorflow.serving.{method}"
        sent = self.message(kind).SerializeToString()
        if "Reload" in method:
            return path, sent
        damage = chance.randrange(8)
        if damage == 0:
            sent = chance.randbytes(chance.choice([0, 1, 9, 500]))
        elif damage == 1 and sent:
            changed = bytearray(sent)
            for _ in range(chance.randrange(1, 5)):
                changed[chance.randrange(len(changed))] = chance.randrange(256)
            sent = bytes(changed)
        elif damage == 2:
            sent = sent[: chance.randrange(len(sent) + 1)]
        elif chance.random() < 0.02:
            path = chance.choice(["/", "/x/y", "/tensorflow.serving.PredictionService/Nope"])
        return path, sent


class Attacker:
    """Sends what is damaged, and checks that the server bears it."""

    def __init__(self, server, channel, chance):
        self.server, self.channel, self.chance = server, channel, chance
        self.place = asking.place(server.rest)
        self.json, self.http, self.rpc = Json(chance), Http(chance), Rpc(chance)
        self.connection = HTTPConnection(*self.place, timeout=SECONDS)
        self.codes = {}

    def count(self, code):
        self.codes[code] = self.codes.get(code, 0) + 1

    def send(self):
        """Sends one request of any kind."""
        kind = self.chance.choice([self.send_json, self.send_json, self.send_http, self.send_rpc])
        kind()

    def send_json(self):
        method, path, *_ = request = self.json.request()
        self.connection.request(*request)
        response = self.connection.getresponse()
        answer = response.read()
        self.count(response.status)
        assert response.status == 200 or 400 <= response.status < 500, (request, answer)
        if method != "HEAD" and (path.startswith("/v1/") or response.status != 200):
            # What is no HTTP is refused before our code sees it.
            if method == "NOPE" or path == "*":
                return
            assert response.headers["Content-Type"].startswith("application/json"), request
            found = json.loads(answer)
            assert (response.status == 200) == ("error" not in found), (request, found)

    def send_http(self):
        sent = self.http.sent()
        answer = b""
        # A server may close the connection at any moment.
        with (
            contextlib.suppress(ConnectionError),
            socket.create_connection(self.place, SECONDS) as raw,
        ):
            raw.sendall(sent)
            raw.shutdown(socket.SHUT_WR)
            while part := raw.recv(1 << 16):
                answer += part
        for code in map(int, re.findall(rb"^HTTP/1\.[01] (\d{3}) ", answer, re.MULTILINE)):
            self.count(code)
            assert code in (100, 200) or 400 <= code < 500, (sent, answer)

    def send_rpc(self):
        path, sent = self.rpc.request()
        told = None
        try:
            self.channel.unary_unary(path)(sent, timeout=SECONDS)
        except grpc.RpcError as error:
            self.count(error.code().name)
            told = error
        else:
            self.count("OK")
        # A message that cannot be read is refused before our code sees it.
        if told and "DecodeError" not in str(told.details()):
            assert told.code() in REFUSALS, (path, sent, told)

    def check_server(self):
        """Asks what is right, both ways."""
        assert self.server.process.poll() is None
        value = self.chance.choice([0, 51, 204, 255])
        with contextlib.closing(HTTPConnection(*self.place, timeout=SECONDS)) as connection:
            connection.request("POST", PREDICT, asking.body(picture(value)))
            response = connection.getresponse()
            answer = response.read()
            assert response.status == 200, answer
            assert asking.is_right(answer, [value])
        call = self.channel.unary_unary(
            "/tensorflow.serving.PredictionService/Predict",
            predict_pb2.PredictRequest.SerializeToString,
            predict_pb2.PredictResponse.FromString,
        )
        assert asking.is_right_message(
            call(asking.request(picture(value)), timeout=SECONDS), [value]
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz") / MODEL
    models.save(folder / str(models.VERSION))
    with running(folder, "--allow-unverified") as server:
        yield server


def test_the_server_bears_damaged_requests(server):
    memory = psutil.Process(server.process.pid).memory_info
    used = {}
    with grpc.insecure_channel(server.grpc, [("grpc.enable_http_proxy", 0)]) as channel:
        attacker = Attacker(server, channel, random.Random(SEED))
        for number in range(1, COUNT + 1):
            attacker.send()
            if number % 100 == 0:
                attacker.check_server()
            if number % 1000 == 0:
                used[number] = memory().rss
    print(dict(sorted(attacker.codes.items(), key=str)), used)  # noqa: T201
    assert used[COUNT] < (1 + GROWTH) * used[COUNT // 2]
    log = server.log.read_text(errors="replace")
    assert "A request failed" not in log
