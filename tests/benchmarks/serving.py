"""What serving costs beside the same signature called in process.

    python -m tests.benchmarks.serving MODEL [--images FOLDER] [--seconds 4] [--rounds 5] [--json]

MODEL is a version's folder. Latency and throughput at 1, 8, 32 and 128 clients, over REST and gRPC,
beside the signature called in process alone and in batches of 32. Clients and server share the
machine's cores, as the signature in process does not. All of it is measured in turn, several times,
so that what else the machine does meanwhile falls on each alike; printed are medians, and each
figure's share of the batches in process of its own round.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np

from pipeline.run import allocator
from tests.benchmarks import served
from tests.serving.running import Running, running

CLIENTS = (1, 8, 32, 128)
BATCH = 32

_IN_PROCESS = """
import json, sys, time
import tensorflow as tf
model, files = sys.argv[1], sys.argv[2:]
images = [open(file, "rb").read() for file in files]
loaded = tf.saved_model.load(model)
signature = loaded.signatures["serving_default"]
def call(batch):
    return [out.numpy() for out in signature(image_bytes=tf.constant(batch)).values()]
for size in (1, 2, 4, 8, 16, 32):
    call(images[:size])
for line in sys.stdin:
    size, seconds = json.loads(line)
    times, index, now = [], 0, time.perf_counter()
    stop = now + seconds
    while now < stop:
        call([images[(index + each) % len(images)] for each in range(size)])
        now, before = time.perf_counter(), now
        times.append((now - before) * 1000)
        index += size
    print(json.dumps(times), flush=True)
"""


class InProcess:
    """The signature in a process of its own, without a server."""

    def __init__(self, requests: IO[str], responses: IO[str]) -> None:
        self._requests = requests
        self._responses = responses

    def measure(self, size: int, seconds: float) -> np.ndarray:
        """Calls it for so long; returns the milliseconds of each batch."""
        self._requests.write(json.dumps([size, seconds]) + "\n")
        self._requests.flush()
        return np.array(json.loads(self._responses.readline()))


@contextmanager
def in_process(model: Path, files: list[Path]) -> Iterator[InProcess]:
    """Loads the signature, with the allocator that the server has."""
    process = subprocess.Popen(
        [sys.executable, "-c", _IN_PROCESS, str(model), *map(str, files)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **allocator.environment(), "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert process.stdin
    assert process.stdout
    try:
        yield InProcess(process.stdin, process.stdout)
    finally:
        process.stdin.close()
        process.wait()


@dataclass
class Row:
    """What was measured of one way to call.

    Attributes:
        how: the way.
        clients: at the same time.
        p50: milliseconds, of each round; so `p95` and `p99`.
        per_second: images a second, of each round.
        share: of the images a second of the batches in process, of each round.
    """

    how: str
    clients: int
    p50: list[float] = field(default_factory=list)
    p95: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)
    share: list[float] = field(default_factory=list)

    def add(self, milliseconds: np.ndarray, per_second: float, against: float | None) -> None:
        """Adds a round's."""
        for values, percent in ((self.p50, 50), (self.p95, 95), (self.p99, 99)):
            values.append(float(np.percentile(milliseconds, percent)))
        self.per_second.append(per_second)
        self.share.append(per_second / (against or per_second))


def measure(model: Path, files: list[Path], seconds: float, rounds: int) -> list[Row]:
    """Measures all of it, a row each."""
    alone = Row("in process, batches of 1", 1)
    batches = Row(f"in process, batches of {BATCH}", 1)
    connects = {"REST": served.rest, "gRPC": served.rpc}
    rows = [Row(how, clients) for how in connects for clients in CLIENTS]
    images = [file.read_bytes() for file in files]
    with in_process(model, files) as signature, running(model.parent, cold=True) as server:
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
            milliseconds = signature.measure(BATCH, seconds)
            against = BATCH * 1000 / float(milliseconds.mean())
            batches.add(milliseconds, against, None)
            milliseconds = signature.measure(1, seconds)
            alone.add(milliseconds, 1000 / float(milliseconds.mean()), against)
            for row in rows:
                found = asyncio.run(_load(connects[row.how], server, images, row.clients, seconds))
                row.add(found.milliseconds, found.per_second, against)
    return [alone, batches, *rows]


async def _load(
    connect: served.Connect, server: Running, images: list[bytes], clients: int, s: float
) -> served.Load:
    async with connect(server, images) as send:
        await served.load(send, clients, 0.5)
        return await served.load(send, clients, s)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--images", type=Path, default=Path("../shared/chest_xray/test"))
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    files = sorted(path for path in options.images.rglob("*.*") if path.is_file())[:64]
    if not files:
        parser.error(f"no images in {options.images}")
    rows = measure(options.model.resolve(), files, options.seconds, options.rounds)
    if options.json:
        print(json.dumps([vars(row) for row in rows], indent=2))
        return
    print(
        "| how | clients | p50 ms | p95 ms | p99 ms | images/s | share |\n"
        "|---|---|---|---|---|---|---|"
    )
    for row in rows:
        milliseconds = " | ".join(f"{np.median(each):.1f}" for each in (row.p50, row.p95, row.p99))
        print(
            f"| {row.how} | {row.clients} | {milliseconds} | {np.median(row.per_second):.0f} "
            f"| {np.median(row.share):.2f} ({min(row.share):.2f} to {max(row.share):.2f}) |"
        )


if __name__ == "__main__":
    main()
