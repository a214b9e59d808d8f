"""Judging files and folders with a pushed model."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.errors import UserError
from components.images import reasons
from components.images.layout import as_text, is_system_file
from components.images.progress import Progress
from serving.model import Model, find_version
from transform_module.features import INVALID, MAXIMUM_BYTES

_BATCH_PICTURES = 32
_BATCH_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Prediction:
    """The answer to one file.

    Attributes:
        path: the file.
        probability: of pneumonia; None where the file is no usable picture.
        label: NORMAL, PNEUMONIA or INVALID.
        valid: whether it is a usable picture.
        reason: why it is none.
    """

    path: str
    probability: float | None
    label: str
    valid: bool
    reason: str = ""


def predict(
    model: Path, paths: Sequence[Path], *, progress: Progress | None = None
) -> list[Prediction]:
    """Judges pictures.

    Args:
        model: a version's folder or the folder of the versions.
        paths: files, and folders with files at any depth. System files in folders are passed over.
        progress: gets the files done and their total.

    Returns:
        One prediction a file, in the order of the paths, within a folder by name.

    Raises:
        UserError: there is no model, it does not load, or the folders hold no file.
    """
    version = find_version(model)
    files = [file for path in paths for file in _files(path)]
    if not files:
        raise UserError(f"There is no file in {', '.join(map(str, paths))}.")
    loaded = Model(version)
    predictions: list[Prediction] = []
    for batch in _batches(files):
        predictions += _judge(loaded, batch)
        if progress:
            progress(len(predictions), len(files))
    return predictions


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    closed: list[Path] = []
    for folder, folders, names in os.walk(
        path, onerror=lambda error: closed.append(Path(error.filename)), followlinks=True
    ):
        folders[:] = sorted(name for name in folders if not _leads_back(Path(folder, name)))
        yield from (Path(folder, name) for name in sorted(names) if not is_system_file(name))
    yield from closed


def _leads_back(folder: Path) -> bool:
    """Whether a folder is a link to one that it lies in."""
    return folder.is_symlink() and folder.parent.resolve().is_relative_to(folder.resolve())


def _batches(files: Sequence[Path]) -> Iterator[list[tuple[Path, bytes | str]]]:
    """Reads files a batch at a time: each with its content, or why it has none."""
    batch: list[tuple[Path, bytes | str]] = []
    size = 0
    for file in files:
        content = _read(file)
        batch.append((file, content))
        size += len(content)
        if len(batch) == _BATCH_PICTURES or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _read(file: Path) -> bytes | str:
    try:
        if file.stat().st_size > MAXIMUM_BYTES:
            return reasons.too_large(MAXIMUM_BYTES)
        if file.is_dir():
            return "folder that cannot be opened"
        if not file.is_file():
            return reasons.NOT_REGULAR
        return file.read_bytes()
    except OSError as error:
        return reasons.unreadable(error)


def _judge(model: Model, batch: Sequence[tuple[Path, bytes | str]]) -> Iterator[Prediction]:
    answers = iter(model.answer([content for _, content in batch if isinstance(content, bytes)]))
    for file, content in batch:
        name = as_text(os.fsencode(file))
        if isinstance(content, str):
            yield Prediction(name, None, INVALID, False, content)
            continue
        answer = next(answers)
        if answer.valid:
            yield Prediction(name, answer.probability, answer.label, True)
        else:
            yield Prediction(name, None, answer.label, False, _reason(content))


def _reason(content: bytes) -> str:
    from components.images import decode_check

    judged = decode_check.check(content)
    return judged if isinstance(judged, str) else "the model cannot decode it"
