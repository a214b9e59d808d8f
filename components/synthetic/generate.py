"""Writes a set of synthetic chest X-rays as the published dataset lies on disk."""

import io
import json
import logging
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from components.code_version import code_version
from components.synthetic.anatomy import Anatomy
from components.synthetic.broken import BrokenFile, broken_files
from components.synthetic.drawing import Drawing, draw
from components.synthetic.plan import PlannedImage, plan
from serving.process import system_errors
from serving.process.interrupts import held
from transform_module.errors import UserError
from transform_module.files import intact
from transform_module.files.sums import sums

_LOG = logging.getLogger(__name__)

MARKER = ".synthetic.json"
"""File of a finished set: what it was made from, and the SHA-256 of each file."""

_FILES = "files"

MINIMUM_IMAGES = 60
"""With fewer images a split would lack patients of a subtype."""

# First words of the seeds of what is drawn independently, so that no two streams are the same.
_PATIENT, _IMAGE, _FILE = range(3)


@dataclass(frozen=True)
class SyntheticSet:
    """What a set holds.

    Args:
        images: how many good images, by split (``train``, ``val``, ``test``) and label name.
        patients: how many patients they show.
        broken: what is wrong with each further file, by its path relative to the set.
    """

    images: Mapping[str, Mapping[str, int]]
    patients: int
    broken: Mapping[str, str]


def render(image: PlannedImage, seed: int) -> Drawing:
    """Draws a planned image; the same arguments give the same pixels."""
    anatomy = Anatomy.sample(np.random.default_rng([_PATIENT, seed, image.patient]))
    return draw(anatomy, image.subtype, np.random.default_rng([_IMAGE, seed, image.index]))


def generate(
    out: Path,
    *,
    images: int = 600,
    seed: int = 7,
    progress: Callable[[int, int], None] | None = None,
) -> SyntheticSet:
    """Writes ``images`` images and a few broken files to ``out``, whole or not at all.

    A set that is there already, made from the same arguments by the same code, is left as it is.

    Args:
        out: the folder to make; it may be missing, empty, or an earlier set, which is replaced.
        images: how many good images, `MINIMUM_IMAGES` or more.
        seed: 0 or more; a larger set with the same seed holds the images of a smaller one.
        progress: is called with (written, of how many) after each image.

    Returns:
        What the set holds.

    Raises:
        UserError: on an impossible number, or where ``out`` holds anything else or is unwritable.
    """
    if images < MINIMUM_IMAGES:
        raise UserError(
            f"{images} images are too few: {MINIMUM_IMAGES} or more are needed, so that every "
            "split has patients of every kind."
        )
    if seed < 0:
        raise UserError(f"The seed {seed} is not possible: it must be 0 or more.")
    planned = plan(images, seed)
    broken = broken_files(planned)
    out = out.resolve()
    made_from: dict[str, int | str] = {
        "images": images,
        "seed": seed,
        "code": code_version("components.synthetic.generate"),
    }
    try:
        if _is_whole(out, _former(out), made_from):
            _LOG.info("%s holds these %d images already", out, images)
        else:
            with _swept(out):
                _write(out, planned, broken, made_from, progress)
    except OSError as error:
        raise UserError(
            f"The synthetic images cannot be written to {out}. "
            f"{system_errors.explain(error) or error}"
        ) from error
    return SyntheticSet(
        images=_count(planned),
        patients=len({image.patient for image in planned}),
        broken={file.path: file.what for file in broken},
    )


def _former(out: Path) -> Any:
    """Returns what the set in ``out`` was made from; None where there is none."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return None
    marker = out / MARKER
    if not marker.is_file():
        raise UserError(
            f"{out} is not empty and holds no synthetic set (there is no {MARKER} in it), so it is "
            "left alone. Name a folder that does not exist yet, or empty this one."
        )
    try:
        return json.loads(marker.read_text())
    except ValueError:
        return None


def _is_whole(out: Path, former: Any, made_from: Mapping[str, int | str]) -> bool:
    """Returns whether a set is the wanted one, with each file as it was written."""
    if not isinstance(former, dict) or not isinstance(files := former.pop(_FILES, None), dict):
        return False
    return former == made_from and not any(intact.damage(out, files, beside=[MARKER]))


def _write(
    out: Path,
    images: tuple[PlannedImage, ...],
    broken: tuple[BrokenFile, ...],
    made_from: Mapping[str, int | str],
    progress: Callable[[int, int], None] | None,
) -> None:
    """Writes the set beside ``out``, then puts it in its place."""
    seed = int(made_from["seed"])
    partial, replaced = (out.with_name(f".{out.name}.{what}") for what in ("partial", "replaced"))
    for leftover in (partial, replaced):
        if leftover.exists():
            shutil.rmtree(leftover)
    for folder in {Path(image.path).parent for image in images}:
        (partial / folder).mkdir(parents=True)
    for written, image in enumerate(images, 1):
        (partial / image.path).write_bytes(_encode(image, seed))
        if progress:
            progress(written, len(images))
    for file in broken:
        content = file.content(lambda image: _encode(image, seed))
        (partial / file.path).write_bytes(content)
    marker = {**made_from, _FILES: sums(partial)}
    (partial / MARKER).write_text(json.dumps(marker, indent=2) + "\n")
    if out.exists():
        out.rename(replaced)
    partial.rename(out)
    if replaced.exists():
        shutil.rmtree(replaced)


@contextmanager
def _swept(out: Path) -> Iterator[None]:
    """Leaves no half set behind, whatever stops its writing, but a kill."""
    try:
        yield
    except BaseException:
        with held():
            shutil.rmtree(out.with_name(f".{out.name}.partial"), ignore_errors=True)
        raise


def _encode(image: PlannedImage, seed: int) -> bytes:
    """Returns the bytes of an image's file; mode and quality know nothing of its subtype."""
    rng = np.random.default_rng([_FILE, seed, image.index])
    film = Image.fromarray(render(image, seed).pixels)
    if rng.random() < 0.3:
        film = film.convert("RGB")
    stream = io.BytesIO()
    if image.path.endswith(".png"):
        film.save(stream, "PNG", compress_level=1)
    else:
        film.save(stream, "JPEG", quality=int(rng.integers(70, 96)))
    return stream.getvalue()


def _count(images: tuple[PlannedImage, ...]) -> dict[str, dict[str, int]]:
    counts = Counter((image.split, image.label_name) for image in images)
    table: dict[str, dict[str, int]] = {}
    for (split, label_name), count in counts.items():
        table.setdefault(split, {})[label_name] = count
    return table
