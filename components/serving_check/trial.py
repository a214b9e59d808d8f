"""A model served by the embedded server in a process of its own, and requests to it."""

import json
import logging
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from components.serving_check import differences, sample_images
from components.serving_check.settings import ServingCheckSettings
from serving.analysis.predicted import PredictedImage
from serving.client import Client, NotOurModel, Refused, UnknownModel, connect
from serving.model import Prediction
from serving.process.tied import tied_process
from serving.versions.push import push
from serving.versions.push_rules import Compared
from serving.versions.signature import VERIFY_KEY
from transform_module import contract
from transform_module.errors import UserError

_START_SECONDS: Final = 300
_ALONE: Final = 16
_BATCH: Final = contract.SERVING_BATCH_SIZES[-1]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Question:
    """An image, and what the Evaluator's model said of it."""

    image: bytes
    predicted: PredictedImage


@dataclass(frozen=True)
class Trial:
    """What came of serving a model.

    Attributes:
        reasons: why it may not be pushed, a sentence each; empty when it may.
        images: images that were predicted.
        load_seconds: from the server's start until the model responded.
        latency_ms: median time of a request with one image over REST.
        memory_gib: the most memory that the server took.
    """

    reasons: list[str] = field(default_factory=list)
    images: int = 0
    load_seconds: float = 0
    latency_ms: float = 0
    memory_gib: float = 0


def try_serving(
    model: Path,
    files: Mapping[str, str],
    name: str,
    questions: Sequence[Question],
    settings: ServingCheckSettings,
    *,
    images: Path,
    quarantine: Path,
) -> Trial:
    """Serves a model as it would be served once pushed, and sends it requests over REST and gRPC.

    Args:
        model: the SavedModel's folder.
        files: SHA-256 by file of what is to be served.
        name: the model's, in URLs.
        questions: images with the expected predictions.
        settings: the bounds.
        images: folder of the paths in ``quarantine``.
        quarantine: list of the files that the conversion kept out.

    Raises:
        UserError: the model is another one, or the server did not start, ended or could not be
            reached, which says nothing of the model.
    """
    with tempfile.TemporaryDirectory(prefix="serving-check-") as folder:
        version = push(model, Path(folder) / name, {}, Compared(files), is_trial=True).path
        started = time.monotonic()
        try:
            with _served(version.parent) as (rest_url, grpc_url, process):
                load_seconds = time.monotonic() - started
                with connect(rest_url, model=name) as rest, connect(grpc_url, model=name) as grpc:
                    reasons = list(_not_loaded(rest))
                    if reasons:
                        return Trial(reasons, load_seconds=load_seconds)
                    record = json.loads((version / contract.MODEL_RECORD).read_text())
                    latency_ms = _latency_ms(rest, questions)
                    reasons += _compared(
                        rest, grpc, questions, record["threshold"], images, quarantine
                    )
                memory_gib = process.memory_info().rss / 2**30
        except (NotOurModel, Refused, UnknownModel) as error:
            # What the server said of the model; silence is not a verdict.
            return Trial([str(error)])
    reasons += _beyond(latency_ms, memory_gib, settings)
    return Trial(reasons, len(questions), load_seconds, latency_ms, memory_gib)


@contextmanager
def _served(folder: Path) -> Iterator[tuple[str, str, psutil.Process]]:
    """Runs the embedded server on a model's folder.

    Yields:
        The URLs of REST and gRPC, and the process.
    """
    ready, log = folder.parent / "ready.json", folder.parent / "server.log"
    try:
        with (
            log.open("wb") as output,
            tied_process(
                "serving.server.__main__",
                [str(folder), str(ready)],
                stdout=output,
                stderr=subprocess.STDOUT,
                # It is signed when it is pushed, once this check has blessed it.
                env={name: value for name, value in os.environ.items() if name != VERIFY_KEY},
            ) as process,
        ):
            deadline = time.monotonic() + _START_SECONDS
            while not ready.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    last_line = log.read_text(errors="replace").strip().splitlines()[-1:]
                    how = "ended" if process.returncode is not None else "was not ready"
                    seconds = _START_SECONDS - (deadline - time.monotonic())
                    raise UserError(f"the server {how} after {seconds:.0f} s: {''.join(last_line)}")
                time.sleep(0.1)
            addresses = json.loads(ready.read_text())
            yield addresses["rest"], f"grpc://{addresses['grpc']}", psutil.Process(process.pid)
    finally:
        _LOG.info("The server said:\n%s", log.read_text(errors="replace"))


def _not_loaded(client: Client) -> Iterator[str]:
    for version in client.status():
        if version.state != "AVAILABLE":
            yield f"the server does not load it: {version.error}"


def _latency_ms(client: Client, questions: Sequence[Question]) -> float:
    seconds = []
    for question in questions[:_ALONE]:
        started = time.perf_counter()
        client.predict([question.image])
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds) * 1000 if seconds else 0.0


def _compared(
    rest: Client,
    grpc: Client,
    questions: Sequence[Question],
    threshold: float,
    images: Path,
    quarantine: Path,
) -> Iterator[str]:
    expected = [question.predicted for question in questions]
    contents = [question.image for question in questions]
    for how, client in (("REST", rest), ("gRPC", grpc)):
        predictions = [client.predict([image])[0] for image in contents[:_ALONE]]
        yield from differences.against_evaluator(
            expected[:_ALONE], predictions, threshold, f"over {how}, one at a time"
        )
        yield from differences.against_evaluator(
            expected, _in_batches(client, contents), threshold, f"over {how}, in batches"
        )
    formats = sample_images.formats()
    predicted = dict(zip(formats, rest.predict(list(formats.values())), strict=True))
    lossless = [name for name in formats if sample_images.is_lossless(name)]
    yield from differences.of_formats(predicted, lossless)
    good = formats["PNG, grey"]
    alone = rest.predict([good])[0]
    for name, file in sample_images.broken().items():
        before, broken, after = rest.predict([good, file, good])
        yield from differences.of_broken(name, broken)
        yield from differences.of_neighbours(name, alone, [before, after])
    for name, file in sample_images.quarantined(quarantine, images).items():
        before, _, after = grpc.predict([good, file, good])
        yield from differences.of_neighbours(name, alone, [before, after])


def _in_batches(client: Client, images: Sequence[bytes]) -> list[Prediction]:
    return [
        prediction
        for start in range(0, len(images), _BATCH)
        for prediction in client.predict(images[start : start + _BATCH])
    ]


def _beyond(latency_ms: float, memory_gib: float, settings: ServingCheckSettings) -> Iterator[str]:
    if latency_ms > settings.maximum_latency_ms:
        yield (
            f"the median latency is {latency_ms:.0f} ms, more than maximum_latency_ms, "
            f"{settings.maximum_latency_ms:g}"
        )
    if memory_gib > settings.maximum_memory_gib:
        yield (
            f"the server takes {memory_gib:.1f} GiB, more than maximum_memory_gib, "
            f"{settings.maximum_memory_gib:g}"
        )
