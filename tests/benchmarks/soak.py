"""A server under load for minutes, while new versions come, a broken one among them.

    python -m tests.benchmarks.soak MODEL [--images FOLDER] [--minutes 5] [--every 20]

MODEL is a version's folder. Prints what must hold beside what was found, and ends with 1 where it
does not.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import grpc
import numpy as np
import psutil

from tests.benchmarks import served
from tests.serving.running import Running, running

CLIENTS = 32
TOLERANCE = 1e-4
# A reload is felt from the rename of the version's folder until the next has taken over.
RELOAD_SECONDS = 5.0


@dataclass
class Soak:
    """What was seen.

    Attributes:
        responses: when each was sent (seconds from the start) and how many milliseconds it took.
        wrong: responses whose probability is another one.
        dropped: requests without a response, with the error.
        memory: seconds from the start, bytes.
        reloads: when each version appeared, seconds from the start.
        first: when the first request that each version served was sent, and its milliseconds.
        lone_first: milliseconds of the first request after the start, alone.
        lone_median: milliseconds of the median of the first fifty.
    """

    responses: list[tuple[float, float]] = field(default_factory=list)
    wrong: int = 0
    dropped: list[str] = field(default_factory=list)
    memory: list[tuple[float, int]] = field(default_factory=list)
    reloads: list[float] = field(default_factory=list)
    first: dict[int, tuple[float, float]] = field(default_factory=dict)
    lone_first: float = 0
    lone_median: float = 0


def publish(version: Path, folder: Path, number: int, *, broken: bool) -> None:
    """Publishes a version as the push does: beside the others, then renamed."""
    unfinished = folder / f".tmp-{number}"
    shutil.copytree(version, unfinished)
    if broken:
        (data,) = unfinished.glob("variables/variables.data-*")
        data.write_bytes(data.read_bytes()[:1000])
    unfinished.rename(folder / str(number))


async def soak(
    server: Running,
    version: Path,
    folder: Path,
    images: Sequence[bytes],
    seconds: float,
    every: float,
) -> Soak:
    """Loads the server while versions come and go."""
    seen, process = Soak(), psutil.Process(server.process.pid)
    async with served.rest(server, images) as rest, served.rpc(server, images) as rpc:
        lone = []
        for index in range(50):
            sent = time.perf_counter()
            await rest(index)
            lone.append((time.perf_counter() - sent) * 1000)
        seen.lone_first, seen.lone_median = lone[0], float(np.median(lone))
        expected = [(await rest(index))[0] for index in range(len(images))]
        start = time.perf_counter()

        async def client(number: int) -> None:
            index = number
            send = rest if number % 2 else rpc
            while (sent := time.perf_counter() - start) < seconds:
                try:
                    found, version = await send(index)
                except (RuntimeError, aiohttp.ClientError, grpc.RpcError) as error:
                    seen.dropped.append(repr(error))
                else:
                    took = (time.perf_counter() - start - sent) * 1000
                    seen.responses.append((sent, took))
                    seen.wrong += abs(found - expected[index % len(expected)]) > TOLERANCE
                    if version:
                        seen.first[version] = min(
                            seen.first.get(version, (sent, took)), (sent, took)
                        )
                index += 1

        async def publisher() -> None:
            number = 2
            while (elapsed := time.perf_counter() - start) < seconds - every:
                await asyncio.sleep(every)
                seen.reloads.append(elapsed + every)
                await asyncio.to_thread(publish, version, folder, number, broken=number == 4)
                # As a user would who keeps a few versions to go back to.
                shutil.rmtree(folder / str(number - 3), ignore_errors=True)
                number += 1

        async def watcher() -> None:
            while time.perf_counter() - start < seconds:
                seen.memory.append((time.perf_counter() - start, process.memory_info().rss))
                await asyncio.sleep(1)

        await asyncio.gather(publisher(), watcher(), *(client(each) for each in range(CLIENTS)))
    return seen


def verdicts(seen: Soak) -> list[tuple[str, str, bool]]:
    """Tells for each requirement what was found, and whether it holds."""
    during: list[float] = []
    steady: list[float] = []
    for sent, took in seen.responses:
        near = any(
            sent + took / 1000 - at >= 0 and sent - at <= RELOAD_SECONDS for at in seen.reloads
        )
        (during if near else steady).append(took)
    p99_during, p99_steady = np.percentile(during, 99), np.percentile(steady, 99)
    median = float(np.median(steady))
    first = [took for _, (_, took) in sorted(seen.first.items())][1:] or [0.0]
    # While a version is loaded there are two.
    settled = [
        size
        for at, size in seen.memory
        if at >= 60 and not any(0 <= at - reload <= RELOAD_SECONDS for reload in seen.reloads)
    ] or [1]
    growth = max(settled) / settled[0] - 1
    return [
        ("0 wrong responses", f"{seen.wrong} of {len(seen.responses):,}", not seen.wrong),
        ("0 dropped", f"{len(seen.dropped)} {seen.dropped[:1]}", not seen.dropped),
        (
            "memory between reloads flat within 5 % after the first minute",
            f"{settled[0] / 1e6:.0f} MB, at most {growth:+.1%}, last {settled[-1] / 1e6:.0f} MB",
            growth <= 0.05,
        ),
        (
            "p99 during a reload at most 2x the steady one",
            f"{p99_during:.0f} ms, {p99_steady:.0f} ms, median {np.median(steady):.0f} ms, "
            f"{len(seen.reloads)} reloads",
            bool(p99_during <= 2 * p99_steady),
        ),
        (
            "the first request after the start at most 2x the median",
            f"{seen.lone_first:.1f} ms, {seen.lone_median:.1f} ms",
            seen.lone_first <= 2 * seen.lone_median,
        ),
        (
            "the first request after a reload at most 2x the median",
            f"{', '.join(f'{took:.0f}' for took in first)} ms, {median:.0f} ms",
            max(first) <= 2 * median,
        ),
    ]


def main() -> None:
    """Soaks and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--images", type=Path, default=Path("../shared/chest_xray/test"))
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--every", type=float, default=20)
    options = parser.parse_args()
    files = sorted(path for path in options.images.rglob("*.*") if path.is_file())[:64]
    if not files:
        parser.error(f"no images in {options.images}")
    version = options.model.resolve()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, served.MODEL_NAME)
        folder.mkdir()
        publish(version, folder, 1, broken=False)
        with running(folder, cold=True) as server:
            seen = asyncio.run(
                soak(
                    server,
                    version,
                    folder,
                    [file.read_bytes() for file in files],
                    options.minutes * 60,
                    options.every,
                )
            )
    found = verdicts(seen)
    for what, value, holds in found:
        print(f"{'holds' if holds else 'FAILS'}  {what}: {value}")
    sys.exit(0 if all(holds for _, _, holds in found) else 1)


if __name__ == "__main__":
    main()
