"""The embedded server in a process of its own, and clients that load it."""

import asyncio
import base64
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import grpc
import numpy as np
import psutil
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from transform_module import features

START_SECONDS = 120

Ask = Callable[[int], Awaitable[tuple[float, int | None]]]
"""Asks about one picture, by its index; returns the probability, and over gRPC the version."""


@dataclass(frozen=True)
class Server:
    """A running server."""

    rest: str
    grpc: str
    model: str
    process: psutil.Process


@contextmanager
def serve(model: Path, *options: str) -> Iterator[Server]:
    """Serves the folder of a model's versions until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        ready, log = Path(folder, "ready.json"), Path(folder, "log")
        command = [sys.executable, "-m", "serving.command", str(model), "--rest-port", "0"]
        command += ["--grpc-port", "0", "--ready-file", str(ready), *options]
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + START_SECONDS
            while not ready.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(log.read_text(errors="replace"))
                time.sleep(0.05)
            addresses = json.loads(ready.read_text())
            yield Server(
                addresses["rest"], addresses["grpc"], model.name, psutil.Process(process.pid)
            )
        finally:
            process.terminate()
            process.wait()


@asynccontextmanager
async def rest(server: Server, pictures: Sequence[bytes]) -> AsyncIterator[Ask]:
    """Asks over REST; the requests are written beforehand, so that the server is measured."""
    bodies = [
        json.dumps({"instances": [{"b64": base64.b64encode(picture).decode()}]}).encode()
        for picture in pictures
    ]
    url = f"{server.rest}/v1/models/{server.model}:predict"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask(index: int) -> tuple[float, None]:
            async with session.post(url, data=bodies[index % len(bodies)]) as response:
                content = await response.read()
                if response.status != 200:
                    raise RuntimeError(f"{response.status}: {content[:200]!r}")
                return json.loads(content)["predictions"][0][features.PROBABILITY], None

        yield ask


@asynccontextmanager
async def rpc(server: Server, pictures: Sequence[bytes]) -> AsyncIterator[Ask]:
    """Asks over gRPC; the requests are made beforehand."""
    requests = []
    for picture in pictures:
        request = predict_pb2.PredictRequest()
        request.model_spec.name = server.model
        tensor = request.inputs[features.IMAGE_BYTES]
        tensor.dtype = types_pb2.DT_STRING
        tensor.tensor_shape.dim.add(size=1)
        tensor.string_val.append(picture)
        requests.append(request)
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

        async def ask(index: int) -> tuple[float, int]:
            response = await stub.Predict(requests[index % len(requests)])
            probability = response.outputs[features.PROBABILITY].float_val[0]
            return probability, response.model_spec.version.value

        yield ask


@dataclass(frozen=True)
class Load:
    """What many clients measured, each with one request at a time.

    Attributes:
        milliseconds: of each answer, ascending.
        seconds: in all.
    """

    milliseconds: np.ndarray
    seconds: float

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.milliseconds) / self.seconds

    def percentile(self, percent: float) -> float:
        """Milliseconds that so many of the answers took at most."""
        return float(np.percentile(self.milliseconds, percent))


async def load(ask: Ask, clients: int, seconds: float) -> Load:
    """Lets clients ask one picture after another."""
    measured: list[float] = []
    stop = time.perf_counter() + seconds

    async def client(number: int) -> None:
        index = number
        while (started := time.perf_counter()) < stop:
            await ask(index)
            measured.append((time.perf_counter() - started) * 1000)
            index += 1

    started = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(clients)))
    return Load(np.sort(measured), time.perf_counter() - started)
