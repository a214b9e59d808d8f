"""The two jobs of a conversion that run in Beam: inspecting files, and writing records.

They hand over through files, so that every runner can execute them whose workers see the same
folders. A worker holds few images at a time.
"""

import base64
import hashlib
import json
import logging
import os
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import apache_beam as beam

from components.convert.records import Features, serialize
from components.convert.screening import appearance
from components.convert.screening.look import look
from serving.beam.beam_pipeline import IMAGES, options, run
from serving.images import decode_check, reasons
from serving.progress import Progress, count, listening
from transform_module.contract import MAXIMUM_BYTES
from transform_module.errors import UserError

_CHUNK_BYTES = 1024 * 1024
_FILES_AT_ONCE = 32
# Threads, as both decoders leave Python alone meanwhile; few, as each may hold a large image.
_INSPECTORS = min(4, os.cpu_count() or 1)

Inspection = dict[str, Any]
"""Result of reading a file: index, sha256, reason (None if it is good), format, width, height,
orientation, unused_bits and, of a good one, its thumbnail and hash in base64 (see `appearance`),
and its measures, where they are wanted."""


def inspect_files(
    images: Path,
    paths: Sequence[tuple[int, bytes]],
    results: Path,
    *,
    measured: bool = False,
    beam_args: Sequence[str],
    progress: Progress | None,
) -> list[Inspection]:
    """Reads and decodes files.

    Args:
        images: the image folder.
        paths: index and relative path of each file.
        results: an empty folder for what the workers find.
        measured: whether it is measured, too, what they look like.
        beam_args: Beam's own options; they go before DEFAULT_BEAM_ARGS.
        progress: gets the files done and their total.

    Returns:
        One inspection a file, in any order.
    """
    stage = uuid.uuid4().hex
    batches = [
        list(paths[start : start + _FILES_AT_ONCE])
        for start in range(0, len(paths), _FILES_AT_ONCE)
    ]
    with listening(stage, len(paths), progress):
        pipeline = beam.Pipeline(options=options(beam_args))
        _ = (
            pipeline
            | "Files" >> beam.Create(batches)
            | "Spread" >> beam.Reshuffle()
            | "Inspect" >> beam.ParDo(_Inspect(os.fsencode(images), stage, os.getpid(), measured))
            | "Keep" >> beam.io.WriteToText(str(results / "facts"), file_name_suffix=".jsonl")
        )
        run(pipeline, stage)
    found = [
        json.loads(line)
        for part in sorted(results.glob("facts*.jsonl"))
        for line in part.read_text(encoding="utf-8").splitlines()
    ]
    if len(found) != len(paths):
        raise RuntimeError(f"Beam inspected {len(found)} of {len(paths)} files.")
    return found


def write_shards(
    images: Path,
    shards: Sequence[tuple[str, list[tuple[bytes, Features]]]],
    *,
    beam_args: Sequence[str],
    progress: Progress | None,
) -> None:
    """Writes TFRecord files, GZIP, one worker a file.

    Args:
        images: the image folder.
        shards: path of each TFRecord file, with relative path and features of its images in
            their order.
        beam_args: Beam's own options; they go before DEFAULT_BEAM_ARGS.
        progress: gets the images written and their total.

    Raises:
        UserError: an image changed since it was inspected.
    """
    stage = uuid.uuid4().hex
    with listening(stage, sum(len(files) for _, files in shards), progress):
        pipeline = beam.Pipeline(options=options(beam_args))
        _ = (
            pipeline
            | "Shards" >> beam.Create(list(shards))
            | "Spread" >> beam.Reshuffle()
            | "Write" >> beam.ParDo(_WriteShard(os.fsencode(images), stage, os.getpid()))
        )
        run(pipeline, stage)


def read_file(path: bytes) -> tuple[bytes | None, str]:
    """Reads a file piece by piece.

    Args:
        path: the file.

    Returns:
        Its content, None where it has more than MAXIMUM_BYTES, and its SHA-256.
    """
    digest, pieces, size = hashlib.sha256(), [], 0
    with open(path, "rb") as file:
        while piece := file.read(_CHUNK_BYTES):
            digest.update(piece)
            size += len(piece)
            if size <= MAXIMUM_BYTES:
                pieces.append(piece)
            else:
                pieces.clear()
    return (b"".join(pieces) if size <= MAXIMUM_BYTES else None), digest.hexdigest()


def inspect_file(path: bytes, measured: bool = False) -> Inspection:
    """Returns the inspection of one file.

    Args:
        path: the file; anything may be in it.
        measured: whether it is measured, too, what it looks like.

    Returns:
        The inspection, without the index.
    """
    try:
        data, sha256 = read_file(path)
    except OSError as error:
        return _inspection("", reason=reasons.unreadable(error))
    if data is None:
        return _inspection(sha256, reason=reasons.too_large(MAXIMUM_BYTES))
    decoded = decode_check.decode(data)
    if isinstance(decoded, str):
        return _inspection(sha256, reason=decoded)
    checked, pixels = decoded
    small = appearance.thumbnail(pixels)
    if reason := appearance.shows_nothing(small):
        return _inspection(sha256, reason=reason)
    inspection = _inspection(sha256, checked=checked) | {
        "thumbnail": base64.b64encode(small.tobytes()).decode(),
        "hash": base64.b64encode(appearance.perceptual_hash(small)).decode(),
    }
    return {**inspection, "measures": look(data)} if measured else inspection


def _inspection(
    sha256: str, *, reason: str | None = None, checked: decode_check.Decoded | None = None
) -> Inspection:
    return {
        "sha256": sha256,
        "reason": reason,
        "format": checked.format if checked else None,
        "width": checked.width if checked else None,
        "height": checked.height if checked else None,
        "orientation": checked.orientation if checked else None,
        "unused_bits": checked.unused_bits if checked else None,
    }


class _ImageDoFn(beam.DoFn):
    def __init__(self, images: bytes, stage: str, driver: int) -> None:
        self._images = images
        self._stage = stage
        self._driver = driver
        self._counter = beam.metrics.Metrics.counter("cxr", IMAGES)

    def setup(self) -> None:
        # In the driver's own process the accelerator stays visible: training may follow there.
        if os.getpid() == self._driver:
            return
        import tensorflow as tf

        try:
            tf.config.set_visible_devices([], "GPU")
        except RuntimeError:
            logging.getLogger(__name__).debug("TensorFlow has its devices already.")

    def _done(self) -> None:
        self._counter.inc()
        count(self._stage, 1)


class _Inspect(_ImageDoFn):
    def __init__(self, images: bytes, stage: str, driver: int, measured: bool) -> None:
        super().__init__(images, stage, driver)
        self._measured = measured

    def process(self, batch: list[tuple[int, bytes]]) -> Iterator[str]:
        paths = [os.path.join(self._images, path) for _, path in batch]
        inspect = partial(inspect_file, measured=self._measured)
        with ThreadPoolExecutor(_INSPECTORS) as pool:
            for (index, _), found in zip(batch, pool.map(inspect, paths), strict=True):
                self._done()
                yield json.dumps({"index": index, **found})


class _WriteShard(_ImageDoFn):
    def process(self, shard: tuple[str, list[tuple[bytes, Features]]]) -> None:
        import tensorflow as tf

        target, files = shard
        # A worker that is started twice for one file never mixes both.
        attempt = f"{target}.{uuid.uuid4().hex}"
        with tf.io.TFRecordWriter(attempt, options="GZIP") as writer:
            for path, described in files:
                data, sha256 = read_file(os.path.join(self._images, path))
                if data is None or sha256 != described["sha256"]:
                    raise UserError(
                        f"{described['filename']} changed while it was converted. Convert again."
                    )
                writer.write(serialize(described, data))
                self._done()
        os.replace(attempt, target)
