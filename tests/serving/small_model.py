"""Requests to the small model of `tests.serving.saved`, and checks of the responses."""

import base64
import functools
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tests.conformance.clients import strings
from tests.images import encode
from transform_module import contract

MODEL = "chest_xray"
PREDICT = f"/v1/models/{MODEL}:predict"


@functools.cache
def xray(value: int, side: int = 40) -> bytes:
    """A square of one grey value."""
    return encode(np.full((side, side), value, np.uint8), "png-grey")


def body(*images: bytes) -> bytes:
    instances = [{"b64": base64.b64encode(each).decode()} for each in images]
    return json.dumps({"instances": instances}).encode()


def is_right(content: bytes, values: Sequence[int]) -> bool:
    """Returns whether a response over REST is whole and right, for images of these grey values."""
    rows = json.loads(content)["predictions"]
    return [row[contract.VALID] for row in rows] == [True] * len(values) and [
        row[contract.PROBABILITY] for row in rows
    ] == pytest.approx([value / 255 for value in values], abs=1e-6)


def request(*images: bytes) -> predict_pb2.PredictRequest:
    message = predict_pb2.PredictRequest()
    message.model_spec.name = MODEL
    message.inputs[contract.IMAGE_BYTES].CopyFrom(strings(images))
    return message


def is_right_message(response: predict_pb2.PredictResponse, values: Sequence[int]) -> bool:
    """Returns the same of a response over gRPC."""
    found = list(response.outputs[contract.PROBABILITY].float_val)
    return found == pytest.approx([value / 255 for value in values], abs=1e-6)


@contextmanager
def stub(address: str) -> Iterator[prediction_service_pb2_grpc.PredictionServiceStub]:
    """Speaks gRPC with a server, over a connection of its own."""
    options = [
        ("grpc.enable_http_proxy", 0),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.max_send_message_length", -1),
    ]
    with grpc.insecure_channel(address, options) as channel:
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel)


def place(url: str) -> tuple[str, int]:
    """Host and port of a URL."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port
