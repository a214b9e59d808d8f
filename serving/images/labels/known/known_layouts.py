"""The public datasets whose tables are read by the dataset's name."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from serving.files.local_paths import place_of
from serving.images.labels import tables
from serving.images.labels.known.chexpert import CHEXPERT
from serving.images.labels.known.known_layout import KnownLayout
from serving.images.labels.known.mimic import MIMIC
from serving.images.labels.known.nih import NIH
from serving.images.labels.known.padchest import PADCHEST
from serving.images.labels.known.rsna import RSNA
from serving.images.labels.known.vindr import VINDR
from serving.images.labels.listed import WHAT, Listed
from serving.images.settings import DatasetSettings
from transform_module.errors import UserError
from transform_module.files.source_path import Source

KNOWN: Final[Mapping[str, KnownLayout]] = {
    "nih": NIH,
    "chexpert": CHEXPERT,
    "mimic": MIMIC,
    "rsna": RSNA,
    "vindr": VINDR,
    "padchest": PADCHEST,
}
"""By `dataset.layout`; `kermany` is missing, since its folders have the labels."""

_ANNOTATIONS: Final = "annotations"
"""The folder in the given one where the tables may be, too."""


def find_tables(name: str, images: Source, labels: str | None) -> dict[str, Source]:
    """Finds the tables of a dataset.

    Args:
        name: one of KNOWN.
        images: the image folder, which holds the tables where nothing else is said.
        labels: the folder of the tables, or the first one of them.

    Returns:
        Those that are there, by role.

    Raises:
        UserError: a table is missing without which there are no labels.
    """
    known = KNOWN[name]
    given = place_of(labels, f"The {WHAT}") if labels else images
    found: dict[str, Source] = {}
    folder = given
    if labels and _is_file(given):
        found[known.tables[0].role] = given
        folder = given.parent
    for table in known.tables:
        for path in (
            inner / f"{each}{suffix}"
            for each in table.names
            for inner in (folder, folder / _ANNOTATIONS)
            for suffix in ("", ".gz")
        ):
            if table.role not in found and path.exists():
                found[table.role] = path
    missing = [table for table in known.tables if table.is_required and table.role not in found]
    if not found:
        missing = list(known.tables)
    if missing:
        expected = ", ".join(" or ".join(table.names) for table in missing)
        raise UserError(
            f"The layout {name} has its labels in {expected} (or compressed, .gz), which "
            f"{folder} does not hold. Name the folder that does: --labels FOLDER."
        )
    return {table.role: found[table.role] for table in known.tables if table.role in found}


def recognised(names: Collection[str]) -> str | None:
    """Returns the public dataset whose tables are among the files of a folder."""
    present = {name.removesuffix(".gz") for name in names}
    for layout, known in KNOWN.items():
        needed = [table for table in known.tables if table.is_required] or known.tables[:2]
        if all(present.intersection(table.names) for table in needed):
            return layout
    return None


def read(name: str, images: Source, settings: DatasetSettings) -> Listed:
    """Reads the images that the tables of a dataset list.

    Args:
        name: one of KNOWN.
        images: the image folder.
        settings: where the tables are, and what uncertain labels and lateral views mean.

    Raises:
        UserError: a table is missing, or is a mistake.
    """
    found = find_tables(name, images, settings.labels)
    return KNOWN[name].read(
        {role: tables.read(place, WHAT) for role, place in found.items()}, settings
    )


def _is_file(place: Source) -> bool:
    if isinstance(place, Path):
        return place.is_file()
    # A folder in a store is not there itself.
    return place.exists()
