"""Speaks with a server over REST and gRPC, and checks the form of every response."""

import base64
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import httpx
import pytest
import tensorflow as tf
from google.protobuf.message import Message
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from transform_module import contract

TIMEOUT = 60.0


@dataclass(frozen=True)
class Server:
    """A running server of the model.

    Attributes:
        rest: such as ``http://127.0.0.1:8501``.
        grpc: such as ``127.0.0.1:8500``, or None where it was not given.
        model: the served model's name.
        embedded: whether it is the project's own server, started by these tests.
    """

    rest: str
    grpc: str | None
    model: str
    embedded: bool


def b64(content: bytes) -> dict[str, str]:
    """Bytes as api_rest.md, "Encoding binary values", has them."""
    return {"b64": base64.b64encode(content).decode()}


class Rest:
    """The REST API of one model."""

    def __init__(self, client: httpx.Client, model: str) -> None:
        self.client = client
        self.model = model

    def get(self, path: str = "", model: str | None = None) -> httpx.Response:
        """GETs what stands below the model."""
        return self.client.get(f"/v1/models/{model or self.model}{path}")

    def post(
        self,
        body: Any,
        path: str = ":predict",
        *,
        model: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """POSTs a body: bytes and text as they are, anything else as JSON."""
        content = body if isinstance(body, bytes | str) else json.dumps(body)
        url = f"/v1/models/{model or self.model}{path}"
        return self.client.post(url, content=content, headers=headers)


def response_of(response: httpx.Response) -> dict[str, Any]:
    """The body of a response that must be a success."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("application/json")
    body = json.loads(response.content)
    assert isinstance(body, dict)
    assert "error" not in body
    return body


def error_of(response: httpx.Response, status: int) -> str:
    """The message of a response that must be an error.

    api_rest.md, at the top: "In case of error, all APIs will return a JSON object in the response
    body with `error` as key and the error message as the value".
    """
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/json")
    body = json.loads(response.content)
    assert list(body) == ["error"]
    assert isinstance(body["error"], str)
    assert body["error"]
    return body["error"]


class Grpc:
    """The gRPC API of one model."""

    def __init__(self, channel: grpc.Channel, model: str) -> None:
        self.channel = channel
        self.model = model
        self.prediction = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        self.models = model_service_pb2_grpc.ModelServiceStub(channel)

    def spec(self, signature: str = "") -> model_pb2.ModelSpec:
        return model_pb2.ModelSpec(name=self.model, signature_name=signature)

    def request(
        self, inputs: dict[str, tensor_pb2.TensorProto], signature: str = ""
    ) -> predict_pb2.PredictRequest:
        request = predict_pb2.PredictRequest(model_spec=self.spec(signature))
        for name, tensor in inputs.items():
            request.inputs[name].CopyFrom(tensor)
        return request

    def predict(self, request: predict_pb2.PredictRequest) -> predict_pb2.PredictResponse:
        return self.prediction.Predict(request, timeout=TIMEOUT)

    def predict_images(self, images: Sequence[bytes]) -> predict_pb2.PredictResponse:
        return self.predict(self.request({contract.IMAGE_BYTES: strings(images)}))


def strings(values: Iterable[bytes]) -> tensor_pb2.TensorProto:
    """A list of strings as a tensor."""
    values = list(values)
    tensor = tensor_pb2.TensorProto(dtype=tf.string.as_datatype_enum, string_val=values)
    tensor.tensor_shape.dim.add(size=len(values))
    return tensor


def refused(
    call: Callable[..., Any], request: Message, code: grpc.StatusCode, *parts: str
) -> grpc.RpcError:
    """Checks that a call fails with a code and a message that has these parts."""
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=TIMEOUT)
    assert caught.value.code() is code, caught.value.details()
    assert caught.value.details()
    for part in parts:
        assert part in caught.value.details()
    return caught.value
