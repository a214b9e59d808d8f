"""Predicting files and folders with a pushed model."""

import glob
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from serving.files.local_paths import archive_at, remote_address, store_path
from serving.images import passed_over, reasons
from serving.images.encoding.encoding import encoded
from serving.model import Model, Prediction, find_version
from serving.progress import Progress
from transform_module.contract import INVALID, MAXIMUM_BYTES, SERVING_BATCH_SIZES
from transform_module.errors import UserError
from transform_module.files.archives.archive_path import ArchivePath
from transform_module.files.source_path import Source
from transform_module.files.store_path import StorePath
from transform_module.text import as_text

_BATCH_IMAGES: Final = SERVING_BATCH_SIZES[-1]
# In base64 a third more, which stays below what the embedded server takes.
_BATCH_BYTES: Final = 32 * 1024 * 1024

Predictor = Callable[[Sequence[bytes]], list[Prediction]]
"""Predicts a batch of images: a loaded model, or a client of one that is served."""

_Read = bytes | str
_Name = TypeVar("_Name", bound=Source)

Content = tuple[Source, _Read]
"""An image: what it is called, with its bytes as a model takes them, or why it has none."""


@dataclass(frozen=True)
class FilePrediction:
    """The prediction of one file.

    Attributes:
        path: the file.
        probability: of pneumonia; None where the file is not a readable image.
        label: NORMAL, PNEUMONIA or INVALID.
        valid: whether it is a readable image.
        reason: why it is not.
        in_domain: whether it looks like the training images; None where it is
            not a readable image, or the model does not report it.
        domain_distance: how far it is from them, see `Prediction`; None as ``in_domain``.
        triage: NORMAL, REVIEW or PNEUMONIA, see `Prediction`; None as ``in_domain``.
    """

    path: str
    probability: float | None
    label: str
    valid: bool
    reason: str = ""
    in_domain: bool | None = None
    domain_distance: float | None = None
    triage: str | None = None


def predict(
    model: str | Path, paths: str | Path | Sequence[str | Path], *, progress: Progress | None = None
) -> list[FilePrediction]:
    """Predicts images by a pushed model.

    Args:
        model: a version's folder or the folder of the versions.
        paths: one or more files, folders with files at any depth, and patterns (``*``, ``?``,
            ``[…]``, ``**``), or addresses of files and folders in a store, such as
            ``s3://bucket/folder``. Of a zip or an uncompressed tar file all files are taken.
            Files and folders of the system, and thumbnails, are passed over in folders and
            archives.
        progress: gets the files done and their total.

    Returns:
        One prediction a file, in the order of the paths, within a folder or a pattern by name. A
        path that stands for no file has one that says why.

    Raises:
        UserError: there is no model, or it does not load; or a store cannot be reached.
    """
    version, found = find_version(Path(model)), find(paths)
    return _predicted(Model(version).predict, found, MAXIMUM_BYTES, progress)


def predict_by(
    predictor: Predictor,
    paths: str | Path | Sequence[str | Path],
    *,
    maximum_bytes: int = MAXIMUM_BYTES,
    progress: Progress | None = None,
) -> list[FilePrediction]:
    """Predicts images by a predictor; otherwise as `predict`.

    Args:
        predictor: predicts a batch of images.
        paths: see `predict`.
        maximum_bytes: a larger file is not predicted.
        progress: see `predict`.
    """
    return _predicted(predictor, find(paths), maximum_bytes, progress)


def _predicted(
    predictor: Predictor, found: Sequence[Source], maximum_bytes: int, progress: Progress | None
) -> list[FilePrediction]:
    predictions: list[FilePrediction] = []
    for batch in batches((file, read_image(file, maximum_bytes)) for file in found):
        predictions += predict_batch(predictor, batch)
        if progress:
            progress(len(predictions), len(found))
    return predictions


def find(paths: str | Path | Sequence[str | Path]) -> list[Source]:
    """Finds the files that one or more paths stand for, each as `given`."""
    if isinstance(paths, str | Path):
        paths = [paths]
    return [file for path in paths for file in given(path)]


def given(path: str | Path) -> Iterator[Source]:
    """Finds the files that a path stands for: itself, a folder's or an archive's, or a pattern's.

    Files and folders of the system are passed over, and links followed.

    Yields:
        The files, by name. What stands for none is given itself, and so is a folder that cannot be
        opened: `read` says why.

    Raises:
        UserError: a folder in a store or an archive cannot be listed.
    """
    if stored := store_path(path):
        yield from _below(archive_at(stored) or stored)
        return
    path = Path(path)
    for match in matches(path):
        if archive := archive_at(match):
            yield from _below(archive)
            continue
        nothing = True
        for file in files(match):
            nothing = False
            yield file
        if nothing:
            yield match


def matches(path: Path) -> list[Path]:
    """Finds what matches a pattern, by name; a path without a match is returned as it is."""
    pattern = str(path)
    if not glob.has_magic(pattern) or os.path.lexists(path):
        return [path]
    return [Path(match) for match in sorted(glob.glob(pattern, recursive=True))] or [path]


def files(path: Path) -> Iterator[Path]:
    """Finds the files of a folder at any depth, by name; what is not a folder is one itself.

    What is passed over, and what stands for a folder that cannot be opened: see `given`.
    """
    # Unlike Path's own, it takes a path that the system refuses, too.
    if not os.path.isdir(path):
        yield path
        return
    closed: list[Path] = []
    for folder, folders, names in os.walk(
        path, onerror=lambda error: closed.append(Path(error.filename)), followlinks=True
    ):
        folders[:] = sorted(
            name
            for name in folders
            if not passed_over.of_folder(name) and not _leads_back(Path(folder, name))
        )
        yield from (Path(folder, name) for name in sorted(names) if not passed_over.of_file(name))
    yield from closed


def _below(path: StorePath | ArchivePath) -> Sequence[Source]:
    """Finds the files of a folder in a store, or of an archive, in the order of a local one's."""

    def is_wanted(listed: tuple[str, Source]) -> bool:
        *above, name = listed[0].split("/")
        if isinstance(path, ArchivePath) and passed_over.in_archive(name):
            return False
        return not (any(map(passed_over.of_folder, above)) or passed_over.of_file(name))

    def order(listed: tuple[str, Source]) -> list[tuple[bool, str]]:
        *above, name = listed[0].split("/")
        return [*((True, each) for each in above), (False, name)]

    return [file for _, file in sorted(filter(is_wanted, _listed(path)), key=order)] or [path]


def _listed(path: StorePath | ArchivePath) -> Iterator[tuple[str, Source]]:
    """Yields the files of a folder in a store, or of an archive, with their paths in it."""
    if isinstance(path, ArchivePath):
        yield from ((os.fsdecode(name), path.inside(name)) for name, _ in path.files())
    else:
        yield from ((file.below(path), file) for file in path.files())


def _leads_back(folder: Path) -> bool:
    """Whether a folder is a link to one that it lies in."""
    return folder.is_symlink() and folder.parent.resolve().is_relative_to(folder.resolve())


def batches(contents: Iterable[tuple[_Name, _Read]]) -> Iterator[list[tuple[_Name, _Read]]]:
    """Joins images to batches, bounded by their number and their bytes.

    An image that is larger than the limit of a batch is a batch of its own.
    """
    batch: list[tuple[_Name, _Read]] = []
    size = 0
    for name, content in contents:
        added = len(content) if isinstance(content, bytes) else 0
        if batch and size + added > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append((name, content))
        size += added
        if len(batch) == _BATCH_IMAGES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def read(file: Source, maximum_bytes: int = MAXIMUM_BYTES) -> bytes | str:
    """Reads a file; returns the reason if it cannot be read.

    Raises:
        UserError: a store cannot be reached, or an archive cannot be read.
    """
    if isinstance(file, ArchivePath) and not file.member:
        return reasons.EMPTY_ARCHIVE
    if not isinstance(file, Path):
        return _read_stored(file, maximum_bytes)
    if address := remote_address(file):
        return reasons.remote(address)
    try:
        if file.stat().st_size > maximum_bytes:
            return reasons.too_large(maximum_bytes)
        if file.is_dir():
            return _why_no_file(file)
        if not file.is_file():
            return reasons.NOT_REGULAR
        return file.read_bytes()
    except FileNotFoundError as error:
        is_pattern = glob.has_magic(str(file)) and not os.path.islink(file)
        return reasons.NO_MATCH if is_pattern else reasons.unreadable(error)
    except OSError as error:
        return reasons.unreadable(error)
    except ValueError:
        return reasons.NO_PATH


def read_image(file: Source, maximum_bytes: int = MAXIMUM_BYTES) -> bytes | str:
    """Reads a file's image as a model takes it; otherwise as `read`.

    Args:
        file: the file.
        maximum_bytes: a larger file, or one that is larger once it is encoded, has none.
    """
    content = read(file, maximum_bytes)
    return content if isinstance(content, str) else image_of(content, maximum_bytes)


def image_of(content: bytes, maximum_bytes: int = MAXIMUM_BYTES) -> bytes | str:
    """Encodes a file's image as a model takes it; see `read_image`."""
    found = encoded(content)
    if isinstance(found, str):
        return found
    if len(found.image) > maximum_bytes:
        return reasons.too_large(maximum_bytes, "as PNG")
    return found.image


def _read_stored(file: StorePath | ArchivePath, maximum_bytes: int) -> bytes | str:
    try:
        if file.stat().st_size > maximum_bytes:
            return reasons.too_large(maximum_bytes)
        return file.read_bytes()
    except FileNotFoundError as error:
        is_pattern = glob.has_magic(str(file))
        return reasons.NO_PATTERN if is_pattern else reasons.unreadable(error)
    except OSError as error:
        return reasons.unreadable(error)


def _why_no_file(folder: Path) -> str:
    try:
        with os.scandir(folder):
            return reasons.NO_FILES
    except OSError:
        return reasons.CLOSED_FOLDER


def predict_batch(predictor: Predictor, batch: Sequence[Content]) -> Iterator[FilePrediction]:
    """Predicts the images of one batch, in their order.

    Raises:
        UserError: the model returned nan.
    """
    readable = [content for _, content in batch if isinstance(content, bytes)]
    # A network may fail on a batch of none.
    predictions = iter(predictor(readable) if readable else ())
    for path, content in batch:
        name = as_text(os.fsencode(remote_address(str(path)) or str(path)))
        if isinstance(content, str):
            yield FilePrediction(name, None, INVALID, False, content)
            continue
        prediction = next(predictions)
        if math.isnan(prediction.probability):
            raise UserError(
                "The model returned nan, not a probability: its weights are damaged. Take "
                "another version; cxr rollback brings the former one back."
            )
        if prediction.valid:
            yield FilePrediction(
                name,
                prediction.probability,
                prediction.label,
                True,
                in_domain=prediction.in_domain,
                domain_distance=prediction.domain_distance,
                triage=prediction.triage,
            )
        else:
            yield FilePrediction(name, None, prediction.label, False, _reason(content))


def _reason(content: bytes) -> str:
    from serving.images import decode_check

    predicted = decode_check.check(content)
    return predicted if isinstance(predicted, str) else "the model cannot decode it"
