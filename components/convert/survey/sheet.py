"""The report page of a dataset, with its contact sheet: one file."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from serving.images.dataset import Dataset
from serving.report.context import ShownImage
from serving.report.dataset_page import page
from transform_module.errors import UserError
from transform_module.files.place import written
from transform_module.files.source_path import Source, inside


def writer(file: Path) -> Callable[[Dataset, Source], None]:
    """Returns what writes the page into a file, for `convert` and `inspect`.

    Raises:
        UserError: it cannot be written there.
    """
    if file.is_dir() or not file.parent.is_dir():
        raise UserError(
            f"{file} cannot be written: "
            f"{'it is a folder' if file.is_dir() else 'there is no such folder'}. Name a file, "
            "such as images.html."
        )
    return partial(write, file=file)


def write(dataset: Dataset, images: Source, file: Path) -> None:
    """Writes the page.

    Args:
        dataset: description of the images.
        images: the image folder; of it the few images of the contact sheet are read.
        file: a file in a folder that exists; one that is there is replaced.
    """
    paths = [each.path for each in dataset.survey.examples] if dataset.survey else []
    shown = {
        path: thumbnail
        for path in paths
        if (thumbnail := _thumbnail(inside(images, os.fsencode(path))))
    }
    with written(file) as attempt:
        attempt.write_text(page(dataset, shown), encoding="utf-8")


def _thumbnail(file: Source) -> ShownImage | None:
    """Makes a thumbnail of any file; None where it does not decode, or has gone."""
    # Imported here: Beam and TensorFlow take seconds, which a mistake need not wait for.
    from components.convert.inspection import read_file
    from serving.report.thumbnails import of_any

    try:
        data, _ = read_file(file)
    except OSError:
        return None
    thumbnail = of_any(data) if data is not None else None
    return ShownImage(thumbnail=thumbnail) if thumbnail else None
