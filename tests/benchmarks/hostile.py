"""A server of a pushed model under hostile requests.

    python -m tests.benchmarks.hostile MODEL [--images FOLDER]

MODEL is a version's folder. 40 bodies that unpack to 63 MiB are sent at once beside a good client,
and then 2,000 requests of `tests.serving.hostile` beside 500 good ones. Prints how long the good
ones took, what memory the server had, and the shares of the processor. Ends with 1 where a good
request was refused, its response was wrong or took more than 2 s, or the memory was 2 GB.
"""

import argparse
import shutil
import sys
import tempfile
from http.client import HTTPConnection
from pathlib import Path

from tests.serving import hostile, small_model
from tests.serving.running import Running, running

SECONDS = 2.0
MEMORY = 2_000_000_000


def send(server: Running, body: bytes) -> bytes:
    """Asks over a connection of its own."""
    http = HTTPConnection(*small_model.place(server.rest), timeout=60)
    try:
        http.request("POST", small_model.PREDICT, body)
        response = http.getresponse()
        if response.status != 200:
            raise RuntimeError(f"{response.status}: {response.read()[:200]!r}")
        return response.read()
    finally:
        http.close()


def main() -> None:
    """Runs the server and the clients, and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--images", type=Path, help="JPEGs; drawn ones otherwise")
    options = parser.parse_args()
    if options.images:
        files = sorted(options.images.rglob("*.jpeg"))[:20]
        images = [path.read_bytes() for path in files]
    else:
        images = [small_model.xray(value, 224) for value in range(0, 250, 25)]
    bodies = [small_model.body(image) for image in images]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(options.model, Path(folder, small_model.MODEL, options.model.name))
        with running(Path(folder, small_model.MODEL), "--allow-unverified", cold=True) as server:
            right = [send(server, body) for body in bodies]
            wrong: list[str] = []

            def check(number: int) -> None:
                index = number % len(bodies)
                try:
                    found = send(server, bodies[index])
                except (OSError, RuntimeError) as error:
                    wrong.append(str(error))
                    return
                # The probability depends on the batch in its last digits.
                if found[:20] != right[index][:20]:
                    wrong.append(f"{found!r} for {right[index]!r}")

            outcomes = [hostile.bombs(server, check), hostile.attack(server, check)]
            lines = len(server.log.read_text(errors="replace").splitlines())
    print(*outcomes, sep="\n")
    print(f"{len(wrong)} refused or wrong; {lines} lines of log", *wrong[:5], sep="\n")
    slowest = max(each.seconds[-1] for each in outcomes)
    memory = max(each.memory for each in outcomes)
    sys.exit(bool(wrong or slowest > SECONDS or memory > MEMORY))


if __name__ == "__main__":
    main()
