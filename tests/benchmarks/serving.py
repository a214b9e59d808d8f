"""What serving costs beside the same signature called in process.

    python -m tests.benchmarks.serving MODEL [--pictures FOLDER] [--seconds 10] [--json]

MODEL is a version's folder. Latency and throughput at 1, 8, 32 and 128 clients, over REST and gRPC,
beside the signature called in process alone and in batches of 32. Clients and server share the
machine's cores, as the signature in process does not.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

CLIENTS = (1, 8, 32, 128)

_IN_PROCESS = """
import json, os, sys, time
import numpy as np, tensorflow as tf
model, files = sys.argv[1], sys.argv[2:]
pictures = [open(file, "rb").read() for file in files]
loaded = tf.saved_model.load(model)
signature = loaded.signatures["serving_default"]
def call(batch):
    return [out.numpy() for out in signature(image_bytes=tf.constant(batch)).values()]
for size in (1, 2, 4, 8, 16, 32):
    call(pictures[:size])
found = {}
for size, seconds in ((1, 4), (32, 8)):
    times = []
    stop = time.perf_counter() + seconds
    index = 0
    while (started := time.perf_counter()) < stop:
        call([pictures[(index + each) % len(pictures)] for each in range(size)])
        times.append((time.perf_counter() - started) * 1000)
        index += size
    found[size] = np.percentile(times, [50, 95, 99]).tolist()
print(json.dumps(found))
"""


def in_process(model: Path, files: list[Path]) -> dict[str, list[float]]:
    """Measures the signature in a fresh process: p50, p95, p99 in milliseconds by batch size."""
    done = subprocess.run(
        [sys.executable, "-c", _IN_PROCESS, str(model), *map(str, files)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    return json.loads(done.stdout.splitlines()[-1])


def measure(model: Path, files: list[Path], seconds: float) -> list[dict[str, Any]]:
    """Measures all of it, a row each."""
    from tests.benchmarks import served
    from tests.serving.running import running

    rows = []
    for size, (p50, p95, p99) in in_process(model, files).items():
        rows.append(
            {
                "how": f"in process, batches of {size}",
                "clients": 1,
                "p50": p50,
                "p95": p95,
                "p99": p99,
                "per_second": int(size) * 1000 / p50,
            }
        )
    pictures = [file.read_bytes() for file in files]
    with running(model.parent, "--allow-unverified") as server:
        for how, connect in (("REST", served.rest), ("gRPC", served.rpc)):
            for clients in CLIENTS:
                found = asyncio.run(_load(connect, server, pictures, clients, seconds))
                rows.append(
                    {
                        "how": how,
                        "clients": clients,
                        "p50": found.percentile(50),
                        "p95": found.percentile(95),
                        "p99": found.percentile(99),
                        "per_second": found.per_second,
                    }
                )
    return rows


async def _load(
    connect: Any, server: Any, pictures: list[bytes], clients: int, seconds: float
) -> Any:
    from tests.benchmarks import served

    async with connect(server, pictures) as ask:
        await served.load(ask, clients, 1)
        return await served.load(ask, clients, seconds)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--pictures", type=Path, default=Path("../shared/chest_xray/test"))
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    files = sorted(path for path in options.pictures.rglob("*.*") if path.is_file())[:64]
    if not files:
        parser.error(f"no pictures in {options.pictures}")
    rows = measure(options.model.resolve(), files, options.seconds)
    if options.json:
        print(json.dumps(rows, indent=2))  # noqa: T201
        return
    print("| how | clients | p50 ms | p95 ms | p99 ms | pictures/s |\n|---|---|---|---|---|---|")  # noqa: T201
    for row in rows:
        print(  # noqa: T201
            f"| {row['how']} | {row['clients']} | {row['p50']:.1f} | {row['p95']:.1f} "
            f"| {row['p99']:.1f} | {row['per_second']:.0f} |"
        )


if __name__ == "__main__":
    main()
