"""Clients that load a served model."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import aiohttp
import grpc
import numpy as np
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from tests.serving.running import Running
from transform_module import contract

MODEL_NAME = "chest_xray"

Send = Callable[[int], Awaitable[tuple[float, int | None]]]
"""Asks about one image, by its index; returns the probability, and over gRPC the version."""

Connect = Callable[[Running, Sequence[bytes]], AbstractAsyncContextManager[Send]]
"""Connects to a server, to predict these images."""


@asynccontextmanager
async def rest(server: Running, images: Sequence[bytes]) -> AsyncIterator[Send]:
    """Asks over REST; the requests are written beforehand, so that the server is measured."""
    bodies = [
        json.dumps({"instances": [{"b64": base64.b64encode(image).decode()}]}).encode()
        for image in images
    ]
    url = f"{server.rest}/v1/models/{MODEL_NAME}:predict"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def send(index: int) -> tuple[float, None]:
            async with session.post(url, data=bodies[index % len(bodies)]) as response:
                content = await response.read()
                if response.status != 200:
                    raise RuntimeError(f"{response.status}: {content[:200]!r}")
                return json.loads(content)["predictions"][0][contract.PROBABILITY], None

        yield send


@asynccontextmanager
async def rpc(server: Running, images: Sequence[bytes]) -> AsyncIterator[Send]:
    """Asks over gRPC; the requests are made beforehand."""
    requests = []
    for image in images:
        request = predict_pb2.PredictRequest()
        request.model_spec.name = MODEL_NAME
        tensor = request.inputs[contract.IMAGE_BYTES]
        tensor.dtype = types_pb2.DT_STRING
        tensor.tensor_shape.dim.add(size=1)
        tensor.string_val.append(image)
        requests.append(request)
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

        async def send(index: int) -> tuple[float, int]:
            response = await stub.Predict(requests[index % len(requests)])
            probability = response.outputs[contract.PROBABILITY].float_val[0]
            return probability, response.model_spec.version.value

        yield send


@dataclass(frozen=True)
class Load:
    """What many clients measured, each with one request at a time.

    Attributes:
        milliseconds: of each response, ascending.
        seconds: in all.
    """

    milliseconds: np.ndarray
    seconds: float

    @property
    def per_second(self) -> float:
        """Responses a second."""
        return len(self.milliseconds) / self.seconds

    def percentile(self, percent: float) -> float:
        """Milliseconds that so many of the responses took at most."""
        return float(np.percentile(self.milliseconds, percent))


async def load(send: Send, clients: int, seconds: float) -> Load:
    """Lets clients send one image after another."""
    measured: list[float] = []
    stop = time.perf_counter() + seconds

    async def client(number: int) -> None:
        index = number
        while (started := time.perf_counter()) < stop:
            await send(index)
            measured.append((time.perf_counter() - started) * 1000)
            index += 1

    started = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(clients)))
    return Load(np.sort(measured), time.perf_counter() - started)
