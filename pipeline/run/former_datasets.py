"""The converted sets of images that were used before, so that going back to one converts nothing.

Each is kept under the fingerprint of what it was converted from. Its files are links to those of
the dataset and of the artifacts that were made of it, and cost no space while these are there.
"""

import os
import shutil
from pathlib import Path

from components.convert.convert import converted
from components.convert.source import source_fingerprint
from serving.files import staging
from serving.files.linking import link
from serving.images.dataset import DATASET_FILE, Dataset
from serving.images.settings import DatasetSettings
from transform_module.errors import UserError

_NAME_LENGTH = 16


def keep(out: Path, kept: Path) -> None:
    """Keeps the dataset that is there, before another one takes its place.

    Args:
        out: folder of the dataset; another folder is left alone.
        kept: folder of the former sets.
    """
    present = _dataset_in(out)
    if present is None:
        return
    place = kept / present.source_fingerprint[:_NAME_LENGTH]
    if not place.exists():
        with staging.staged(place) as new:
            _link_all(out, new)
            staging.publish(new, place)


def restore(
    images: Path, out: Path, kept: Path, *, settings: DatasetSettings, seed: int
) -> Dataset | None:
    """Puts a former set back, if one was converted from the same images.

    Args:
        images: folder of the images.
        out: folder of the dataset; what is there is kept, too.
        kept: folder of the former sets.
        settings: see `components.convert.convert.convert`.
        seed: see there.

    Returns:
        What the set's ``dataset.json`` holds; None where there is none that is whole.
    """
    place = kept / source_fingerprint(images, settings, seed)[:_NAME_LENGTH]
    is_foreign = out.exists() and not (out / DATASET_FILE).exists()
    if not place.is_dir() or is_foreign:
        return None
    present = converted(images, place, settings=settings, seed=seed)
    if present is None:
        shutil.rmtree(place)
        return None
    keep(out, kept)
    with staging.staged(out) as new:
        _link_all(place, new)
        staging.publish(new, out)
    return present


def not_of(kept: Path, fingerprints: set[str]) -> list[Path]:
    """Lists the former sets whose data none of some runs used.

    Args:
        kept: folder of the former sets.
        fingerprints: of the data that the runs used.
    """
    if not kept.is_dir():
        return []
    return [
        place
        for place in sorted(kept.iterdir())
        if not place.name.startswith(".")
        and ((dataset := _dataset_in(place)) is None or dataset.fingerprint not in fingerprints)
    ]


def _dataset_in(folder: Path) -> Dataset | None:
    if not (folder / DATASET_FILE).is_file():
        return None
    try:
        return Dataset.load(folder)
    except UserError:  # Whoever uses it says that it is damaged; it is not worth being kept.
        return None


def _link_all(source: Path, target: Path) -> None:
    for folder, _, names in os.walk(source):
        inside = target / Path(folder).relative_to(source)
        inside.mkdir(exist_ok=True)
        for name in names:
            link(Path(folder, name), inside / name)
