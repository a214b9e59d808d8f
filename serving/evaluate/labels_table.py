"""Labelled images of a table."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from serving.evaluate.labelled import Labelled, LabelledSet, subtype_of
from serving.images import layout
from serving.images.labels import tables
from serving.images.labels.class_names import ClassNames
from serving.images.labels.labelled_files import matching_of, may_be_listed
from serving.images.labels.listed import WHAT, Listed, ListedImage, listed
from serving.images.patient_names import Named, by_names
from serving.images.settings import DatasetSettings
from transform_module.contract import LABELS
from transform_module.errors import NothingValid
from transform_module.text import as_text, count, printable

_DEFAULTS = DatasetSettings()


def read(
    table: Path, others: Sequence[str] = (), settings: DatasetSettings = _DEFAULTS
) -> LabelledSet:
    """Reads the images and labels of a table.

    Args:
        table: see `listed`. Its paths are relative to its folder; where none of them is there, its
            rows are matched with the files below its folder. Where it has no patients and subtypes,
            the names of the public datasets give them.
        others: further columns that are wanted.
        settings: what its cells mean.

    Returns:
        The images, in the order of the table.

    Raises:
        NothingValid: it holds no row, or no image of a class.
        UserError: it cannot be read, lacks a column, or a row is a mistake.
    """
    rows = listed(tables.read(table, WHAT), settings, others)
    files = _files(table, rows)
    images = [
        Labelled(
            file=table.parent / files.get(row.path, row.path),
            name=printable(row.path),
            label=row.label,
            subtype=subtype_of(row.label, row.path, row.subtype),
            patient=row.patient or None,
            others=dict(zip(others, row.others, strict=True)),
        )
        for row in rows.values()
        if not row.left_out
    ]
    if not images:
        raise NothingValid(f"The {WHAT} {table} lists no image of {' or '.join(LABELS)}.")
    named = by_names([Named(image.label, image.name) for image in images])
    return LabelledSet(
        [
            image if image.patient or not known else replace(image, patient=known.id)
            for image, known in zip(images, named, strict=True)
        ],
        tuple(_left_out(rows.values())),
    )


def _files(table: Path, rows: Listed) -> dict[str, str]:
    """Finds the files of the rows where their paths are relative to another folder."""
    if any((table.parent / path).exists() for path in rows):
        return {}
    _, _, entries = layout.entries_of(table.parent, ClassNames())
    matching = matching_of(table.parent, str(table), rows)
    matching.match(as_text(entry.path) for entry in entries if may_be_listed(entry))
    return {path: file for path in rows if (file := matching.file(path))}


def _left_out(rows: Iterable[ListedImage]) -> Iterator[str]:
    for reason, number in Counter(row.left_out for row in rows if row.left_out).most_common():
        yield f"Left out ({reason}): {count(number, 'image')} of the table."
