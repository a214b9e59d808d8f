"""Servers that fail as they are set to, then predict, and count."""

import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.client import Prediction

PREDICTION = Prediction(0.25, "NORMAL", True)
OUTPUTS = {"probability": [0.25], "label": ["NORMAL"], "valid": [True]}

# What a server can do instead of predicting.
RESET, HANG, TRICKLE, FLOOD, SLOW_READ, CLOSE_AFTER = (
    "reset",
    "hang",
    "trickle",
    "flood",
    "slow read",
    "close after",
)


@dataclass(frozen=True)
class Failure:
    """A failure: the status of either API, and what comes with it."""

    http: int
    code: grpc.StatusCode
    wait: str | None = None


BUSY = Failure(503, grpc.StatusCode.UNAVAILABLE)
FULL = Failure(429, grpc.StatusCode.RESOURCE_EXHAUSTED)
MALFORMED = Failure(400, grpc.StatusCode.INVALID_ARGUMENT)
MISSING = Failure(404, grpc.StatusCode.NOT_FOUND)
LATE = Failure(504, grpc.StatusCode.DEADLINE_EXCEEDED)
BROKEN = Failure(500, grpc.StatusCode.INTERNAL)
ENDING = Failure(503, grpc.StatusCode.CANCELLED)
FAILURES = (BUSY, FULL, ENDING, MALFORMED, MISSING, LATE, BROKEN)
MESSAGE = "the stub says no"


@dataclass
class Stub:
    """A server.

    Attributes:
        script: what it does with the next requests; after them it predicts.
        outputs: what it returns; or over REST makes that of a body, and None refuses it.
        url: where it listens.
        calls: when each request came, and what for.
        peers: the connections that they came by.
        sent: bytes of what has no end.
    """

    script: list[Any] = field(default_factory=list)
    outputs: Any = field(default_factory=lambda: OUTPUTS)
    url: str = ""
    calls: list[tuple[float, Any]] = field(default_factory=list)
    peers: set[str] = field(default_factory=set)
    sent: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def next(self, peer: str, what: Any) -> Any:
        self.calls.append((time.monotonic(), what))
        self.peers.add(peer)
        return self.script.pop(0) if self.script else None


class _Server(ThreadingHTTPServer):
    # With any port it is bound as without: the system then gives one that nobody has.
    allow_reuse_port = True


@contextlib.contextmanager
def rest(stub: Stub, port: int = 0) -> Iterator[Stub]:
    """Runs a stub of REST, on any port or on one that is reserved."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            step = stub.next(str(self.client_address), self.path)
            if step == SLOW_READ:
                while not stub.ended.is_set() and self.connection.recv(8192):
                    stub.ended.wait(0.02)
                return
            calls = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if isinstance(step, Failure):
                self._response(step.http, json.dumps({"error": MESSAGE}).encode(), step.wait)
            elif step == RESET:
                # A connection that is closed without lingering is reset.
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.close_connection = True
            elif step == HANG:
                stub.ended.wait(120)
            elif step == TRICKLE:
                self._trickle()
            elif step == FLOOD:
                self._flood()
            else:
                outputs = stub.outputs(calls) if callable(stub.outputs) else stub.outputs
                if outputs is None:
                    self._response(MALFORMED.http, json.dumps({"error": MESSAGE}).encode())
                    return
                body = (
                    outputs
                    if isinstance(outputs, bytes)
                    else json.dumps({"outputs": outputs}).encode()
                )
                self._response(200, body)
                # Without a word, as a server that stops.
                self.close_connection = step == CLOSE_AFTER

        do_GET = do_POST

        def _response(self, status: int, body: bytes, wait: str | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if wait is not None:
                self.send_header("Retry-After", wait)
            self.end_headers()
            self.wfile.write(body)

        def _trickle(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            with contextlib.suppress(OSError):
                while not stub.ended.wait(0.05):
                    self.wfile.write(b" ")

        def _flood(self) -> None:
            """Sends without end, as fast as it is read, in chunks of 1 MiB."""
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            with contextlib.suppress(OSError):
                while not stub.ended.is_set():
                    self.wfile.write(b"100000\r\n" + bytes(2**20) + b"\r\n")
                    stub.sent += 2**20
            self.close_connection = True

        def log_message(self, *arguments: Any) -> None:
            pass

    server = _Server(("127.0.0.1", port), Handler)
    stub.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield stub
    finally:
        stub.ended.set()
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def rpc(stub: Stub, port: int = 0) -> Iterator[Stub]:
    """Runs a stub of gRPC, on any port or on one that is reserved."""

    class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
        def Predict(self, request: Any, context: grpc.ServicerContext) -> Any:
            step = stub.next(context.peer(), request.model_spec)
            if isinstance(step, Failure):
                if step.wait is not None:
                    pushback = str(int(float(step.wait) * 1000))
                    context.set_trailing_metadata([("grpc-retry-pushback-ms", pushback)])
                context.abort(step.code, MESSAGE)
            if step == HANG:
                stub.ended.wait(120)
            return predict_pb2.PredictResponse(
                outputs={
                    name: values
                    if isinstance(values, tensor_pb2.TensorProto)
                    else tf.make_tensor_proto(values)
                    for name, values in stub.outputs.items()
                }
            )

    server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.so_reuseport", int(port > 0))])
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(), server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(
        model_service_pb2_grpc.ModelServiceServicer(), server
    )
    stub.url = f"grpc://127.0.0.1:{server.add_insecure_port(f'127.0.0.1:{port}')}"
    server.start()
    try:
        yield stub
    finally:
        stub.ended.set()
        server.stop(None).wait()


APIS = (rest, rpc)
