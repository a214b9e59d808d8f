"""Servers that return what no server of models does: an error in words, in bounded memory."""

import json
import tracemalloc

import pytest
import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from serving.client import NotOurModel, Refused, Unavailable, connect
from serving.client.address import RESPONSE_BYTES, parse
from serving.client.rpc import Rpc
from tests.serving.client import stubs
from tests.serving.client.calling import IMAGE
from tests.serving.client.stubs import FLOOD, OUTPUTS, Failure
from tests.serving.client.test_address import DEFAULTS
from transform_module.errors import UserError

DEEP = b"[" * 100_000 + b"]" * 100_000


def received(outputs) -> bytes:
    return json.dumps({"outputs": outputs}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"<html>",
        b"\xff\xfe",
        DEEP,
        b'{"outputs": ' + DEEP + b"}",
        b'{"outputs": {"probability": ' + DEEP + b', "label": ["NORMAL"], "valid": [true]}}',
        received([]),
        received({}),
        received({**OUTPUTS, "label": ["\x1b[2J"]}),
        received({**OUTPUTS, "label": [["NORMAL"]]}),
        received({**OUTPUTS, "valid": [1]}),
        received({**OUTPUTS, "probability": [True]}),
        received({**OUTPUTS, "probability": [-0.1]}),
        received({**OUTPUTS, "probability": ["0.5"]}),
        received({**OUTPUTS, "probability": [0.5, 0.5]}),
        received({**OUTPUTS, "probability": {"0": 0.5}}),
        received({**OUTPUTS, "probability": [10**400]}),
        received({**OUTPUTS, "domain_distance": [1e300]}),
        received({**OUTPUTS, "domain_distance": [10**400]}),
        received({**OUTPUTS, "domain_distance": [float("inf")]}),
        received({**OUTPUTS, "in_domain": [0]}),
        received({**OUTPUTS, "triage": [["REVIEW"]]}),
        b'{"outputs": ' + b"9" * 5000 + b"}",
    ],
    ids=range(25),
)
@pytest.mark.parametrize("what", ["predict", "status", "metadata"])
def test_a_response_over_rest_that_no_model_gives(rest_stub, call, what, body):
    rest_stub.outputs = body
    with pytest.raises(NotOurModel) as caught:
        call(rest_stub.url, what, *([[IMAGE]] if what == "predict" else []))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000


def repeated(value, rows: int):
    """A tensor of one value, which its shape repeats."""
    tensor = tf.make_tensor_proto(value)
    tensor.tensor_shape.CopyFrom(tf.TensorShape([rows]).as_proto())
    return tensor


@pytest.mark.parametrize(
    "changed",
    [
        {"probability": repeated(0.5, 2**40)},
        {"probability": repeated(0.5, 2)},
        {"probability": 0.5},
        {"probability": [[0.5]]},
        {"probability": ["0.5"]},
        {"probability": [True]},
        {"probability": [-1.0]},
        {"label": ["a\x1b[2Jb"]},
        {"label": [b"\xff"]},
        {"label": [1]},
        {"valid": [1]},
        {"domain_distance": [float("nan")]},
    ],
    ids=range(12),
)
def test_a_response_over_grpc_that_no_model_gives(rpc_stub, call, changed):
    rpc_stub.outputs = OUTPUTS | changed
    with pytest.raises(NotOurModel) as caught:
        call(rpc_stub.url, "predict", [IMAGE])
    assert str(caught.value).isprintable()


def test_a_state_that_no_version_has():
    response = get_model_status_pb2.GetModelStatusResponse()
    response.model_version_status.add(version=1, state=99)
    status = Rpc(parse("grpc://host", **DEFAULTS)).status()
    with pytest.raises(NotOurModel, match="unknown state"):
        status.read(response)


def test_metadata_that_cannot_be_read():
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.metadata[
        "signature_def"
    ].type_url = "type.googleapis.com/tensorflow.serving.SignatureDefMap"
    response.metadata["signature_def"].value = b"\xff"
    metadata = Rpc(parse("grpc://host", **DEFAULTS)).metadata()
    with pytest.raises(NotOurModel, match="metadata cannot be read"):
        metadata.read(response)


def test_a_response_without_an_end_is_not_read_whole(rest_stub, call):
    rest_stub.script = [FLOOD]
    tracemalloc.start()
    with pytest.raises(NotOurModel, match=f"response has more than {RESPONSE_BYTES:,} bytes"):
        call(rest_stub.url, "predict", [IMAGE])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The buffers of both ends of the connection take some more.
    assert rest_stub.sent < 8 * RESPONSE_BYTES
    assert most < 8 * RESPONSE_BYTES
    assert len(rest_stub.calls) == 1


def test_a_long_response_over_grpc_is_not_read(rpc_stub, call):
    rpc_stub.outputs = OUTPUTS | {"label": [b"x" * RESPONSE_BYTES]}
    with pytest.raises(NotOurModel, match="response has more than"):
        call(rpc_stub.url, "predict", [IMAGE])
    assert len(rpc_stub.calls) == 1


@pytest.mark.parametrize("body", [DEEP, b"\x1b[31m" * 1000, b'{"error": ' + DEEP + b"}"])
def test_the_words_of_an_error_are_bounded_and_without_commands(call, body, monkeypatch):
    monkeypatch.setattr(stubs.json, "dumps", lambda _: body.decode())
    with stubs.rest(stubs.Stub([Failure(400, None)])) as stub, pytest.raises(Refused) as caught:
        call(stub.url, "predict", [IMAGE])
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000


def test_a_pause_longer_than_the_call_ends_it(rest_stub, call):
    rest_stub.script = [Failure(503, None, "9" * 300)] * 2
    with pytest.raises(Unavailable):
        call(rest_stub.url, "predict", [IMAGE])
    assert len(rest_stub.calls) == 1


@pytest.mark.parametrize(
    "wait", ["x", "Mon, 01 Jan 0001 00:00:00 -2359", "Mon, 01 Jan 99999999999 00:00:00"]
)
@pytest.mark.usefixtures("quick")
def test_a_date_that_makes_no_sense_is_passed_over(rest_stub, call, wait):
    rest_stub.script = [Failure(503, None, wait)]
    assert call(rest_stub.url, "predict", [IMAGE]) == [stubs.PREDICTION]


@pytest.mark.parametrize("name", ["a..b", "a" * 64, "*", "a b", "h%zz", "-" * 254, "h\x1b"])
@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_a_name_that_no_host_has(scheme, name):
    with pytest.raises(UserError, match="is not a URL"):
        connect(f"{scheme}://{name}")


@pytest.mark.parametrize("path", ["/a b", "/%zz", "/ä", "/a\x7f"])
def test_a_path_that_no_url_has(path):
    with pytest.raises(UserError, match="is not a URL"):
        connect(f"http://host{path}")
