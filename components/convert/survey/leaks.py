"""Patients and copies in two of the folders that were given, which would be in two splits. Pure.

What becomes of them is decided in `splits`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from components.convert.outcomes import Outcome
from components.convert.tally import Mark, Tally
from serving.images.dataset import Leak
from serving.images.folders import FOLDERS
from transform_module.contract import TEST


def of_patients(images: Iterable[Outcome]) -> list[Mark]:
    """Returns the marks of the patients that are in two folders.

    Args:
        images: all images of one patient, or of several that share an image.
    """
    folders: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for image in images:
        if image.is_valid and image.owner and image.owner.is_patient:
            folders[image.owner.id][image.file.folder] += 1
    return [mark for found in folders.values() for mark in marks("patients", found)]


def marks(kind: str, folders: Mapping[str, int]) -> list[Mark]:
    """Returns the marks of a patient, or of an image with its copies.

    Args:
        kind: see `Leak`.
        folders: number of images by folder.
    """
    named = [folder for folder in FOLDERS if folders.get(folder)]
    if len(named) < 2:
        return []
    where = ", ".join(named)
    images = sum(number for folder, number in folders.items() if folder != TEST)
    return [Mark(("leak", kind, where)), Mark(("leak images", kind, where), number=images)]


def leaks(tally: Tally) -> tuple[Leak, ...]:
    """Returns all that was found."""
    return tuple(
        Leak(
            kind=kind,
            folders=where,
            groups=found.number,
            images=tally["leak images", kind, where].number,
        )
        for (kind, where), found in tally.of("leak").items()
    )
