"""Input of a prediction in Beam: a list in a file, cut into chunks, which detects any change."""

import filecmp
import itertools
import json
import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from serving.files.local_paths import store_path
from serving.predict import files as predict
from serving.predict.many import tfrecord_input
from serving.predict.many.parts import PART_IMAGES, Parts
from serving.versions import pushed
from transform_module.errors import UserError
from transform_module.files.archives.archive_path import ArchivePath
from transform_module.files.place import Place, move, read_range
from transform_module.files.source_path import Source
from transform_module.files.store_path import Stat, StorePath


@dataclass(frozen=True)
class Chunk:
    """What a worker predicts at once: some files, or one TFRecord file.

    Attributes:
        index: its number, in the order of the inputs.
        offset: where its line begins in the list.
        length: of its line, in bytes.
        images: how many it holds; an estimate of a TFRecord file.
    """

    index: int
    offset: int
    length: int
    images: int


def list_inputs(
    version: Path, paths: Sequence[str | Path], out: Place, parts: Parts
) -> list[Chunk]:
    """Writes the list of inputs, and removes parts that were made of another.

    The list holds the model's sums and, a line a chunk, the files with their sizes and times.

    Args:
        version: the model.
        paths: files, folders and patterns.
        out: the table, which is not an input.
        parts: where the list is written.

    Returns:
        The chunks.

    Raises:
        UserError: there is no input, a TFRecord file cannot be read at all, or a store cannot be
            reached.
    """
    attempt = parts.inputs.with_name(f"{parts.inputs.name}.{uuid.uuid4().hex}")
    head = {"model": pushed.sums(version), "part": PART_IMAGES}
    chunks: list[Chunk] = []
    try:
        with attempt.open("w", encoding="ascii") as file:
            file.write(json.dumps(head) + "\n")
            for files in _cut(_found(paths, out, parts)):
                first = files[0]
                images = (
                    tfrecord_input.estimate(first)
                    if tfrecord_input.is_records(first)
                    else len(files)
                )
                line = json.dumps([_described(each) for each in files]) + "\n"
                chunks.append(Chunk(len(chunks), file.tell(), len(line), images))
                file.write(line)
        if not chunks:
            raise UserError(f"There is no file in {', '.join(map(str, paths))}.")
        if not (parts.inputs.exists() and _are_equal(attempt, parts.inputs)):
            parts.clear(kept=attempt)
            move(attempt, parts.inputs)
    finally:
        attempt.unlink(missing_ok=True)
    return chunks


def files_of(chunk: Chunk, parts: Parts) -> list[Source]:
    """Reads from the list which files a chunk holds."""
    line = read_range(parts.inputs, chunk.offset, chunk.length)
    return [_listed(*each) for each in json.loads(line)]


def _listed(path: str, size: int, time: int, member: str = "") -> Source:
    place: Place = Path(path)
    if stored := store_path(path):
        place = StorePath(stored.address, Stat(size, time) if size >= 0 else None)
    return ArchivePath(place, os.fsencode(member)) if member else place


def _are_equal(one: Place, other: Place) -> bool:
    return filecmp.cmp(str(one), str(other), shallow=False)


def _found(paths: Sequence[str | Path], out: Place, parts: Parts) -> Iterator[Source]:
    for file in itertools.chain.from_iterable(map(predict.given, paths)):
        # Both may lie in a folder of the inputs.
        if file.absolute() != out and file.absolute().parent != parts.folder:
            yield file


def _cut(files: Iterable[Source]) -> Iterator[list[Source]]:
    for is_records, group in itertools.groupby(files, tfrecord_input.is_records):
        while chunk := list(itertools.islice(group, 1 if is_records else PART_IMAGES)):
            yield chunk


def _described(file: Source) -> tuple[str, int, int] | tuple[str, int, int, str]:
    if isinstance(file, ArchivePath):
        return *_described_place(file.archive), os.fsdecode(file.member)
    return _described_place(file)


def _described_place(file: Place) -> tuple[str, int, int]:
    try:
        found = file.stat()
    except OSError:
        return str(file), -1, -1
    return str(file), found.st_size, found.st_mtime_ns
