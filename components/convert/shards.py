"""The TFRecord files of a dataset: planned, and then written, by Beam.

The plan of a shard is a file that lists its images in their order, beside one of its lines for the
fingerprint, which so is known before a record is written.
"""

import heapq
import os
import pickle
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any, Final

import apache_beam as beam
from apache_beam.pvalue import PCollection

from components.convert import records
from components.convert.inspection import ImageDoFn, read_file
from components.convert.outcomes import Outcome
from serving.images.encoding.encoding import encoded
from transform_module.contract import FILENAME, SHA256, SPLITS
from transform_module.errors import UserError
from transform_module.files import intact
from transform_module.files.place import Place, written
from transform_module.files.source_path import Source, inside

SHARD_BYTES: Final = 200_000_000
"""About the largest size of a TFRecord file."""

_RECORD_BYTES = 500
_MERGED = 64

_Key = tuple[str, int]
_Planned = tuple[bytes, int, bytes, str]


def number_of_shards(least: int, files: int, size: int) -> int:
    """Returns how many TFRecord files each split has.

    Args:
        least: as many at least.
        files: number of files, of which all could be in one split.
        size: of all files, in bytes.
    """
    return max(least, -(-(size + files * _RECORD_BYTES) // SHARD_BYTES))


@dataclass(eq=False)
class Plan(beam.PTransform):
    """Plans the shards from outcomes.

    Attributes:
        results: the folder of the plans.
        shards: TFRecord files in each split.
    """

    results: Place
    shards: int

    def expand(self, outcomes: PCollection) -> None:
        """Adds the steps."""
        _ = (
            outcomes
            | "Written" >> beam.Filter(lambda outcome: outcome.split is not None)
            | "To shards" >> beam.Map(_planned, self.shards)
            | "By shard" >> beam.GroupByKey()
            | "Write plans" >> beam.Map(_write_plan, self.results)
        )


def plan_path(results: Place, key: _Key) -> Place:
    """Names the plan of a shard, by its split and number."""
    return results / f"plan-{key[0]}-{key[1]:05d}"


def lines_of(results: Place, shards: int) -> Iterator[str]:
    """Yields the lines of all records, ascending, see `records.fingerprint`."""
    present = [file for key in keys(shards) if (file := _lines_path(results, key)).exists()]
    while len(present) > _MERGED:
        some, present = present[:_MERGED], present[_MERGED:]
        merged = results / f"merged-{uuid.uuid4().hex}"
        with merged.open("wb") as lines:
            for line in heapq.merge(*map(_read_lines, some)):
                pickle.dump(line, lines)
        present.append(merged)
    return heapq.merge(*map(_read_lines, present))


def sums_of(results: Place, shards: int) -> dict[str, str]:
    """Returns the SHA-256 of each TFRecord file that was written, by its path, sorted."""
    return {
        records.shard_path(*key, shards): _sum_path(results, key).read_text(encoding="ascii")
        for key in sorted(keys(shards))
    }


def keys(shards: int) -> list[_Key]:
    """Lists the shards of all splits."""
    return [(split, shard) for split in SPLITS for shard in range(shards)]


class WriteShard(ImageDoFn):
    """Writes the TFRecord file of a shard, GZIP, from its plan, and then its sum.

    Args:
        images: the image folder.
        results: the folder of the plans.
        out: the folder of the dataset.
        shards: TFRecord files in each split.
        stage: whose listener gets the images that are written.
    """

    def __init__(self, images: Source, results: Place, out: Place, shards: int, stage: str) -> None:
        super().__init__(stage)
        self._images = images
        self._results = results
        self._out = out
        self._shards = shards

    def process(self, key: _Key) -> None:
        """Writes one file."""
        import tensorflow as tf

        # A worker that is started twice for one file never mixes both.
        with written(self._out / records.shard_path(*key, self._shards)) as attempt:
            with tf.io.TFRecordWriter(os.fsencode(attempt), options="GZIP") as writer:
                for path, described in _read_plan(plan_path(self._results, key)):
                    writer.write(records.serialize(described, self._image(path, described)))
                    self.done()
            sha256 = intact.sha256(attempt)
        _sum_path(self._results, key).write_text(sha256, encoding="ascii")

    def _image(self, path: bytes, described: records.Features) -> bytes:
        data, sha256 = read_file(inside(self._images, path))
        if data is None or sha256 != described[SHA256]:
            raise UserError(f"{described[FILENAME]} changed while it was converted. Convert again.")
        found = encoded(data)
        if isinstance(found, str):
            # It was read before: the memory or the time did not suffice this once.
            raise UserError(
                f"{described[FILENAME]} could not be read again: {found}. Convert again."
            )
        return found.image


def _lines_path(results: Place, key: _Key) -> Place:
    return results / f"{plan_path(results, key).name}.lines"


def _sum_path(results: Place, key: _Key) -> Place:
    return results / f"sum-{key[0]}-{key[1]:05d}"


def _planned(outcome: Outcome, shards: int) -> tuple[_Key, _Planned]:
    split, described = str(outcome.split), records.features(outcome)
    order = records.shard_key(outcome.file.filename)
    planned = pickle.dumps((outcome.file.path, described))
    line = records.line(split, described)
    return (split, order % shards), (order.to_bytes(8, "big"), outcome.index, planned, line)


def _write_plan(planned: tuple[_Key, Iterable[_Planned]], results: Place) -> None:
    key, images = planned[0], sorted(planned[1])
    with written(plan_path(results, key)) as attempt, attempt.open("wb") as file:
        for _, _, image, _ in images:
            file.write(image)
    with written(_lines_path(results, key)) as attempt, attempt.open("wb") as file:
        for line in sorted(line for *_, line in images):
            pickle.dump(line, file)


def _read_plan(plan: Place) -> Iterator[tuple[bytes, records.Features]]:
    # A shard without an image has no plan.
    if plan.exists():
        with plan.open("rb") as file:
            yield from _unpickled(file)


def _read_lines(lines: Place) -> Iterator[str]:
    with lines.open("rb") as file:
        yield from _unpickled(file)


def _unpickled(file: IO[bytes]) -> Iterator[Any]:
    while True:
        try:
            yield pickle.load(file)
        except EOFError:
            return
