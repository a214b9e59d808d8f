"""Requests that no honest client sends: each takes much, waits long, or is of another's business.

Every kind is a function that sends one request to a server and returns all that came back.
"""

import contextlib
import gzip
import itertools
import json
import multiprocessing
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing.synchronize import Event
from typing import Any, Final

import grpc
import numpy as np
import psutil
from tensorflow_serving.apis import predict_pb2

from tests.conformance.clients import b64, strings
from tests.images import encode
from tests.serving import small_model
from tests.serving.running import Running
from tests.serving.small_model import MODEL, PREDICT, xray
from transform_module import contract

SECRET: Final = "Jane-Doe-1961-04-01"
SECONDS: Final = 60
_LINGER: Final = struct.pack("ii", 1, 0)


class Attacker:
    """One client, with its connections.

    Attributes:
        received: everything that the server said to it.
        held: connections that are kept open, with nothing more to come.
    """

    def __init__(self, rest: str, channel: grpc.Channel, seed: int) -> None:
        self.received = b""
        self.held: list[socket.socket] = []
        self._place = small_model.place(rest)
        self._channel = channel
        self._chance = random.Random(seed)

    def attack(self) -> str:
        """Sends one request of some kind, and returns the kind."""
        kinds, weights = zip(*KINDS.items(), strict=True)
        (kind,) = self._chance.choices(kinds, weights)
        # A server may close the connection at any moment.
        with contextlib.suppress(OSError):
            kind(self)
        return kind.__name__

    def close(self) -> None:
        """Ends the connections that are held."""
        for each in self.held:
            each.close()

    def _connect(self) -> socket.socket:
        return socket.create_connection(self._place, SECONDS)

    def _send(self, content: bytes) -> None:
        with self._connect() as connection:
            connection.sendall(content)
            while part := connection.recv(1 << 16):
                self.received += part

    def _post(self, body: bytes, *headers: str, path: str = PREDICT) -> None:
        lines = [f"POST {path} HTTP/1.1", "Host: x", "Connection: close", *headers]
        lines.append(f"Content-Length: {len(body)}")
        self._send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def _call(self, message: bytes, method: str = "PredictionService/Predict") -> None:
        call = self._channel.unary_unary(f"/tensorflow.serving.{method}")
        try:
            call(message, timeout=SECONDS)
        except grpc.RpcError as error:
            self.received += (error.details() or "").encode()

    # Other clients' requests may be in the same batch.

    def bad_example(self) -> None:
        self._call(_request([SECRET.encode()], contract.EXAMPLES, contract.SERVE_EXAMPLES))

    def bad_example_over_rest(self) -> None:
        body = {"signature_name": contract.SERVE_EXAMPLES, "instances": [b64(SECRET.encode())]}
        self._post(json.dumps(body).encode())

    def broken_image(self) -> None:
        self._call(_request([_broken()]))

    def broken_image_over_rest(self) -> None:
        self._post(small_model.body(_broken()))

    # What is small, and becomes large.

    def many_rows(self) -> None:
        self._post(_prepared("rows"), _GZIP)

    def many_lists(self) -> None:
        self._post(_prepared("lists"), _GZIP)

    def gzip_bomb(self) -> None:
        self._post(_prepared("bomb"), _GZIP)

    def larger_gzip_bomb(self) -> None:
        self._post(_prepared("larger bomb"), _GZIP)

    def large_images(self) -> None:
        self._post(_prepared("large images"), _GZIP)

    def few_large_images(self) -> None:
        self._post(_prepared("few large images"), _GZIP)

    def png_bomb(self) -> None:
        self._post(small_model.body(*[_header(60_000, 60_000)] * 32))

    def deep_lists(self) -> None:
        self._post(b'{"instances":' + b"[" * 100_000)

    def deep_lists_with_numbers(self) -> None:
        self._post(b'{"instances":' + b"[" * 900 + b"NaN" + b"]" * 900 + b"}")

    def many_junk_rows(self) -> None:
        self._call(_prepared("junk rows"))

    def many_empty_values(self) -> None:
        self._call(_prepared("empty values"))

    def large_message(self) -> None:
        self._call(_prepared("large message"))

    # What is wrong, and holds a secret.

    def wrong_values(self) -> None:
        value = self._chance.choice(
            [SECRET, [SECRET], {SECRET: 1}, [{SECRET: SECRET}], [{"b64": SECRET}], [1e300],
             [10**400], [{"b64": "AA==", SECRET: 1}], None]
        )  # fmt: skip
        body = {self._chance.choice(["instances", "inputs", SECRET]): value}
        self._post(json.dumps(body).encode())

    def no_json(self) -> None:
        self._post(f'{{"instances": [{SECRET}'.encode())

    def wrong_names(self) -> None:
        body = small_model.body(xray(51)).replace(b"{", b'{"signature_name": "%s", ', 1)
        self._post(body % SECRET.encode())
        for path in (f"/v1/models/{SECRET}:predict", f"/v1/models/{MODEL}/labels/{SECRET}:predict"):
            self._post(b"{}", path=path)
        message = predict_pb2.PredictRequest.FromString(_request([b"x"], SECRET))
        self._call(message.SerializeToString())
        message.model_spec.name = message.model_spec.signature_name = SECRET
        message.output_filter.append(SECRET)
        self._call(message.SerializeToString())

    def no_http(self) -> None:
        self._send(self._chance.choice([f"{SECRET}\r\n\r\n", f"GET / {SECRET}\r\n\r\n"]).encode())
        self._post(b"{}", f"{SECRET}")
        self._post(b"{}", f"Content-Encoding: {SECRET}")

    def no_message(self) -> None:
        for method in (
            "PredictionService/Predict",
            "ModelService/GetModelStatus",
            "ModelService/X",
        ):
            self._call(SECRET.encode(), method)
        self._call(b"", "PredictionService/MultiInference")

    # Who waits long.

    def half_header(self) -> None:
        connection = self._connect()
        self.held.append(connection)
        connection.sendall(f"POST {PREDICT} HTTP/1.1\r\nHost: {SECRET}".encode())

    def half_body(self) -> None:
        connection = self._connect()
        self.held.append(connection)
        size = self._chance.choice([10, 1000, 1 << 20])
        head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode()
        connection.sendall(head + bytes(size - 1))

    def nothing(self) -> None:
        for _ in range(5):
            self.held.append(self._connect())

    def reset(self) -> None:
        with self._connect() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
            connection.sendall(f"POST {PREDICT} HTTP/1.1\r\nContent-Length: 99\r\n\r\n{{".encode())


_GZIP: Final = "Content-Encoding: gzip"

# How often each kind is sent.
KINDS: Final[dict[Callable[[Attacker], None], float]] = {
    Attacker.bad_example: 10,
    Attacker.bad_example_over_rest: 10,
    Attacker.broken_image: 10,
    Attacker.broken_image_over_rest: 10,
    Attacker.many_rows: 4,
    Attacker.many_lists: 1,
    Attacker.gzip_bomb: 1,
    Attacker.larger_gzip_bomb: 1,
    Attacker.large_images: 2,
    Attacker.few_large_images: 0.5,
    Attacker.png_bomb: 3,
    Attacker.deep_lists: 3,
    Attacker.deep_lists_with_numbers: 3,
    Attacker.many_junk_rows: 1,
    Attacker.many_empty_values: 1,
    Attacker.large_message: 1,
    Attacker.wrong_values: 10,
    Attacker.no_json: 5,
    Attacker.wrong_names: 3,
    Attacker.no_http: 3,
    Attacker.no_message: 3,
    Attacker.half_header: 15,
    Attacker.half_body: 10,
    Attacker.nothing: 5,
    Attacker.reset: 5,
}


def _request(rows: list[bytes], name: str = contract.IMAGE_BYTES, signature: str = "") -> bytes:
    message = predict_pb2.PredictRequest()
    message.model_spec.name = MODEL
    message.model_spec.signature_name = signature
    message.inputs[name].CopyFrom(strings(rows))
    return message.SerializeToString()


def _empty_values() -> bytes:
    tensor = b"\x08\x07" + b"\x42\x00" * 1_000_000
    entry = b"\x0a\x0bimage_bytes\x12" + _varint(len(tensor)) + tensor
    return b"\x12" + _varint(len(entry)) + entry


def _large_image() -> bytes:
    return encode(np.zeros((7000, 7000), np.uint8), "png-grey")


# What takes long to make is made once, beforehand: the server shall be busy, not its clients.
_LARGE: Final[dict[str, Callable[[], bytes]]] = {
    "rows": lambda: gzip.compress(b'{"instances":[' + b'"",' * 299_999 + b'""]}', 6),
    "lists": lambda: gzip.compress(b'{"instances":[' + b"[]," * 10_000_000 + b"[]]}", 6),
    "bomb": lambda: gzip.compress(b'{"instances":["' + b"a" * (63 << 20) + b'"]}', 6),
    "larger bomb": lambda: gzip.compress(bytes(200 << 20), 6),
    "large images": lambda: gzip.compress(small_model.body(*[_large_image()] * 12), 6),
    "few large images": lambda: gzip.compress(small_model.body(*[_large_image()] * 2), 6),
    "junk rows": lambda: _request([b"x"] * 3200),
    "empty values": _empty_values,
    "large message": lambda: _request([bytes(30 << 20)]),
}


@cache
def _prepared(name: str) -> bytes:
    return _LARGE[name]()


def _broken() -> bytes:
    """An image that looks whole, and cannot be decoded."""
    whole = xray(51)
    return whole[:45] + SECRET.encode() + whole[-12:]


def _header(width: int, height: int) -> bytes:
    head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height)
    return head + b"\x08\0\0\0\0" + bytes(30) + xray(51)[-12:]


def _varint(value: int) -> bytes:
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


@dataclass(frozen=True)
class Outcome:
    """What became of the good requests beside the hostile ones.

    Attributes:
        seconds: ascending, of each good request.
        memory: bytes, the most that the server's process took.
        kinds: how many hostile requests of each kind were sent.
        received: all that the hostile clients got.
        processor: shares of all cores that the server, the hostile clients, the good ones and
            other programs took, by these names.
    """

    seconds: np.ndarray
    memory: int
    kinds: Counter[str]
    received: bytes
    processor: dict[str, float]

    def __str__(self) -> str:
        p50, p99 = np.percentile(self.seconds, [50, 99])
        shares = ", ".join(f"{name} {share:.0%}" for name, share in self.processor.items())
        return (
            f"{len(self.seconds)} good requests beside {self.kinds.total()} hostile ones: p50 "
            f"{p50:.3f} s, p99 {p99:.3f} s, slowest {self.seconds[-1]:.3f} s; memory "
            f"{self.memory / 1e9:.2f} GB; processor: {shares}"
        )


class _Processor:
    """Measures the shares of the processor that processes take, from now on."""

    def __init__(self, **processes: int | None) -> None:
        """Starts to measure.

        Args:
            processes: their ids by name; None is this one.
        """
        self._processes = {name: psutil.Process(each) for name, each in processes.items()}
        self._before = self._seconds()
        self._started = time.perf_counter()

    def shares(self) -> dict[str, float]:
        """Returns the shares of all cores; what is left of them is ``other programs``'."""
        total = (time.perf_counter() - self._started) * (psutil.cpu_count() or 1)
        shares = {
            name: (after - self._before[name]) / total for name, after in self._seconds().items()
        }
        busy = shares.pop("all")
        return {**shares, "other programs": max(busy - sum(shares.values()), 0.0)}

    def _seconds(self) -> dict[str, float]:
        whole = psutil.cpu_times()
        found = {"all": sum(whole) - whole.idle - whole.iowait - whole.guest - whole.guest_nice}
        for name, process in self._processes.items():
            times = process.cpu_times()
            found[name] = times.user + times.system
        return found


def attack(
    server: Running, send: Callable[[int], None], *, hostile: int = 2000, good: int = 500
) -> Outcome:
    """Lets 8 hostile clients and 5 good ones loose on a server.

    The hostile ones have a process of their own, so that the good ones do not wait for them.

    Args:
        server: of a model of the name MODEL.
        send: sends the good request of a number, and raises where the response is not right.
        hostile: how many requests.
        good: how many requests, spread over all the time.
    """
    context = multiprocessing.get_context("spawn")
    passed, done, begun = context.Value("i", 0), context.Event(), context.Event()
    outcome = context.Queue()
    attackers = context.Process(
        target=_harm, args=(server.rest, server.grpc, hostile, passed, begun, done, outcome)
    )
    attackers.start()
    while not begun.wait(1):
        if not attackers.is_alive():
            raise RuntimeError("the hostile clients ended before they had begun")
    memory, process = 0, psutil.Process(server.process.pid)
    processor = _Processor(server=process.pid, attackers=attackers.pid, clients=None)

    def timed(number: int) -> float:
        while passed.value < hostile * number // good - 100 and not done.is_set():
            time.sleep(0.01)
        started = time.perf_counter()
        send(number)
        return time.perf_counter() - started

    with ThreadPoolExecutor(5) as clients:
        pending = [clients.submit(timed, number) for number in range(good)]
        try:
            while not all(each.done() for each in pending):
                memory = max(memory, process.memory_info().rss)
                if not attackers.is_alive():
                    break
                time.sleep(0.1)
            shares = processor.shares()
        finally:
            done.set()
        kinds, received = outcome.get(timeout=10 * SECONDS)
        attackers.join()
        seconds = np.sort([each.result() for each in pending])
    return Outcome(seconds, memory, kinds, received, shares)


def _harm(
    rest: str, address: str, requests: int, passed: Any, begun: Event, done: Event, outcome: Any
) -> None:
    """Sends hostile requests from 8 clients; runs in a process of its own.

    Args:
        rest: the server's URL.
        address: the server's, of gRPC.
        requests: how many.
        passed: counts those that were sent.
        begun: is set when all is prepared.
        done: is set when the clients shall end.
        outcome: gets how many of each kind were sent, and all that came back.
    """
    for name in _LARGE:
        _prepared(name)
    sent, kinds, lock = itertools.count(), Counter[str](), threading.Lock()
    options = [("grpc.enable_http_proxy", 0), ("grpc.max_send_message_length", -1)]

    def harm(seed: int) -> bytes:
        with grpc.insecure_channel(address, options) as channel:
            attacker = Attacker(rest, channel, seed)
            while next(sent) < requests:
                kind = attacker.attack()
                with lock:
                    kinds[kind] += 1
                    passed.value += 1
            # Who waits long does so to the end.
            done.wait()
            attacker.close()
            return attacker.received

    begun.set()
    with ThreadPoolExecutor(8) as attackers:
        received = b"".join(attackers.map(harm, range(8)))
    outcome.put((kinds, received))


def bombs(server: Running, send: Callable[[int], None], *, count: int = 40) -> Outcome:
    """Sends so many bodies at once that unpack to 63 MiB each, beside one good client.

    Args:
        server: see `attack`.
        send: see `attack`.
        count: how many bodies.
    """
    _prepared("bomb")
    process = psutil.Process(server.process.pid)
    processor = _Processor(server=process.pid, clients=None)
    memory, start = 0, threading.Barrier(count + 1)
    seconds: list[float] = []

    def harm(seed: int) -> bytes:
        with grpc.insecure_channel(server.grpc) as channel:
            attacker = Attacker(server.rest, channel, seed)
            start.wait()
            attacker.gzip_bomb()
            return attacker.received

    with ThreadPoolExecutor(count) as attackers:
        attacks = [attackers.submit(harm, seed) for seed in range(count)]
        start.wait()
        while not seconds or not all(each.done() for each in attacks):
            started = time.perf_counter()
            send(len(seconds))
            seconds.append(time.perf_counter() - started)
            memory = max(memory, process.memory_info().rss)
        received = b"".join(each.result() for each in attacks)
        shares = processor.shares()
    return Outcome(np.sort(seconds), memory, Counter({"gzip_bomb": count}), received, shares)
