"""Predicting files, and writing each DICOM image's prediction as DICOM."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import numpy as np
from pydicom import Dataset

from serving.explain.canvas import canvases
from serving.images.dicom.parsing import is_dicom
from serving.model import Model, Prediction, find_version
from serving.predict.files import (
    Content,
    FilePrediction,
    batches,
    find,
    image_of,
    predict_batch,
    read,
)
from serving.predict.structured_report import observer, referenced_image
from serving.predict.structured_report.observer import Observer
from serving.predict.structured_report.result import Result, result
from serving.progress import Progress
from transform_module.errors import UserError
from transform_module.files.source_path import Source
from transform_module.files.sync import make_folder, write_bytes

_REPORT: Final = ".sr.dcm"
_HEAT_MAP: Final = ".heatmap.dcm"

_UNREADABLE: Final = "not a readable image"

# The end of a UID, of which many images have their name, is none.
_ENDINGS: Final = (".dcm", ".dicom", ".dic", ".ima")

# With a number and an ending fewer than the 255 of a file's name.
_LONGEST_BYTES: Final = 200


@dataclass(frozen=True)
class ReportedPrediction(FilePrediction):
    """The prediction of one file, and where it was written as DICOM.

    Attributes:
        report: the file of the structured report; empty where there is none.
        heat_map: the file of the image under its heat map, as ``report``.
        no_report: why there is none.
    """

    report: str = ""
    heat_map: str = ""
    no_report: str = ""


def predict_with_reports(
    model: str | Path,
    paths: str | Path | Sequence[str | Path],
    out: Path,
    *,
    progress: Progress | None = None,
) -> list[ReportedPrediction]:
    """Predicts images, and writes ``OUT/NAME.sr.dcm`` and ``OUT/NAME.heatmap.dcm`` for DICOM files.

    The name is the image's; images whose files would have the same get a number too. A report that
    is there refers to a heat map that is there, whenever the call is killed.

    Args:
        model: a version's folder or the folder of the versions.
        paths: see `serving.predict.files.predict`.
        out: the folder of the reports, which is made where it is missing. Those of an earlier call
            are replaced where they have the same name, and left otherwise.
        progress: gets the files done and their total.

    Returns:
        One prediction a file, in the order of `serving.predict.files.predict`.

    Raises:
        UserError: there is no model, it does not load or does not explain; or ``out`` is a folder
            of images, or cannot be written.
    """
    version, found = find_version(Path(model)), find(paths)
    _check_apart(out, found)
    try:
        make_folder(out)
    except OSError as error:
        raise UserError(
            f"The folder {out} cannot be made: {error.strerror}. Name another folder."
        ) from error
    loaded = Model(version)
    loaded.check_explains()
    named = observer.find(version, loaded.record)
    predictions: list[ReportedPrediction] = []
    names: set[str] = set()
    headers: deque[Dataset | str] = deque()
    for batch in batches(_opened(found, headers)):
        of_batch = [headers.popleft() for _ in batch]
        predictions += _reported(loaded, named, batch, of_batch, out, names)
        if progress:
            progress(len(predictions), len(found))
    return predictions


def _check_apart(out: Path, images: Sequence[Source]) -> None:
    """Checks that no report takes the place of an image, nor is one the next time."""
    folder = out.resolve()
    for image in images:
        if isinstance(image, Path) and image.parent.resolve() == folder:
            raise UserError(
                f"{out} holds {image}, which a report could replace. Name a folder that none of "
                "the images is in."
            )


def _opened(files: Iterable[Source], headers: deque[Dataset | str]) -> Iterator[Content]:
    """Yields images as they are predicted, and adds to the headers what a report takes of each.

    The files themselves are not kept.
    """
    for file in files:
        content = read(file)
        image = image_of(content) if isinstance(content, bytes) else content
        headers.append(_header(content, image))
        yield file, image


def _reported(
    model: Model,
    named: Observer,
    batch: Sequence[Content],
    headers: Sequence[Dataset | str],
    out: Path,
    names: set[str],
) -> Iterator[ReportedPrediction]:
    predictions = list(predict_batch(model.predict, batch))
    headers = [
        header if prediction.valid or isinstance(header, str) else _UNREADABLE
        for prediction, header in zip(predictions, headers, strict=True)
    ]
    explained = [
        image
        for (_, image), header in zip(batch, headers, strict=True)
        if isinstance(header, Dataset) and isinstance(image, bytes)
    ]
    drawn = _drawn(model, explained)
    for prediction, header in zip(predictions, headers, strict=True):
        if isinstance(header, str):
            yield ReportedPrediction(**vars(prediction), no_report=header)
            continue
        canvas, heat = next(drawn)
        files = result(header, _values(prediction), canvas, heat, named)
        name = _name(prediction, names)
        report, heat_map = out / f"{name}{_REPORT}", out / f"{name}{_HEAT_MAP}"
        _write(files, report, heat_map)
        yield ReportedPrediction(**vars(prediction), report=str(report), heat_map=str(heat_map))


def _drawn(model: Model, images: Sequence[bytes]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Returns each image's canvas and heat map."""
    # A network may fail on a batch of none.
    return (
        zip(canvases(images, model), model.heat_maps(images), strict=True) if images else iter(())
    )


def _header(content: bytes | str, image: bytes | str) -> Dataset | str:
    """Returns what a report takes from an image, or why there is none."""
    if isinstance(content, bytes) and not is_dicom(content):
        return "not a DICOM file"
    # A header is read of what was rendered alone, whose size and depth are within limits.
    if isinstance(content, str) or isinstance(image, str):
        return _UNREADABLE
    return referenced_image.read(content)


def _values(prediction: FilePrediction) -> Prediction:
    return Prediction(
        probability=cast(float, prediction.probability),  # None of what is not valid alone.
        label=prediction.label,
        valid=True,
        in_domain=prediction.in_domain,
        domain_distance=prediction.domain_distance,
        triage=prediction.triage,
    )


def _name(prediction: FilePrediction, names: set[str]) -> str:
    """Chooses what the name of a file begins with, and adds it to those of the other files."""
    path = Path(prediction.path)
    whole = path.stem if path.suffix.lower() in _ENDINGS else path.name
    stem = whole.encode()[:_LONGEST_BYTES].decode(errors="ignore")
    name, number = stem, 2
    # Some file systems take upper and lower case for one.
    while name.casefold() in names:
        name, number = f"{stem}-{number}", number + 1
    names.add(name.casefold())
    return name


def _write(files: Result, report: Path, heat_map: Path) -> None:
    try:
        # A report never refers to a heat map that is not there.
        report.unlink(missing_ok=True)
        write_bytes(heat_map, files.heat_map)
        write_bytes(report, files.report)
    except OSError as error:
        raise UserError(
            f"{report} and {heat_map.name} cannot be written: {error.strerror}. Name another "
            "folder, or make room."
        ) from error
