"""Explaining files and folders with a pushed model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from serving.explain.canvas import canvases
from serving.explain.overlay import overlay
from serving.model import Model, find_version
from serving.predict.files import Content, FilePrediction, batches, find, predict_batch, read_image
from serving.progress import Progress
from transform_module.errors import UserError

# Of four bytes each, and with what is put around them, fewer than the 255 of a file's name.
_LONGEST_STEM: Final = 50


@dataclass(frozen=True)
class Explanation(FilePrediction):
    """The prediction of one file, and where its heat map was drawn.

    Attributes:
        overlay: the file of the image under its heat map; empty where it is not a readable image.
    """

    overlay: str = ""


def explain(
    model: Path, paths: Sequence[Path], out: Path, *, progress: Progress | None = None
) -> list[Explanation]:
    """Draws each image under its heat map, as ``OUT/LABEL-PROBABILITY-NAME.png``.

    Images whose file would have the same name get a number too.

    Args:
        model: a version's folder or the folder of the versions.
        paths: see `serving.predict.files.predict`.
        out: the folder of the drawings, which is made where it is missing. Drawings of an earlier
            call are replaced where they have the same name, and left otherwise.
        progress: gets the files done and their total.

    Returns:
        One explanation a file, in the order of `serving.predict.files.predict`.

    Raises:
        UserError: there is no model, it does not load or does not explain, or ``out`` cannot be
            written.
    """
    version, found = find_version(model), find(paths)
    _make(out)
    loaded = Model(version)
    loaded.check_explains()
    explanations: list[Explanation] = []
    names: set[str] = set()
    for batch in batches((file, read_image(file)) for file in found):
        explanations += _explained(loaded, batch, out, names)
        if progress:
            progress(len(explanations), len(found))
    return explanations


def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The folder {out} cannot be made: {error.strerror}. Name another folder."
        ) from error


def _explained(
    model: Model, batch: Sequence[Content], out: Path, names: set[str]
) -> Iterator[Explanation]:
    predictions = list(predict_batch(model.predict, batch))
    valid = [
        content
        for (_, content), prediction in zip(batch, predictions, strict=True)
        if prediction.valid and isinstance(content, bytes)
    ]
    drawn = zip(canvases(valid, model), model.heat_maps(valid), strict=True) if valid else iter(())
    for prediction in predictions:
        if not prediction.valid:
            yield Explanation(**vars(prediction))
            continue
        pixels, heat = next(drawn)
        path = out / _name(prediction, names)
        _draw(pixels, heat, path)
        yield Explanation(**vars(prediction), overlay=str(path))


def _name(prediction: FilePrediction, names: set[str]) -> str:
    """Chooses a file's name, and adds it to those of the other files."""
    image = Path(prediction.path).stem[:_LONGEST_STEM]
    stem = f"{prediction.label}-{prediction.probability:.4f}-{image}"
    name, number = f"{stem}.png", 2
    while name in names:
        name, number = f"{stem}-{number}.png", number + 1
    names.add(name)
    return name


def _draw(pixels: np.ndarray, heat: np.ndarray, path: Path) -> None:
    try:
        overlay(pixels, heat).save(path)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error}. Name another folder.") from error
