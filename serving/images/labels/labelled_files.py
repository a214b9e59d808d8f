"""The files of an image folder with their labels, by a table or else by folders."""

import os
from collections.abc import Iterator
from typing import Final

from serving.files.local_paths import place_of, source_of
from serving.files.spool import Spool
from serving.images import layout
from serving.images.folders import split_of
from serving.images.labels import tables
from serving.images.labels.class_names import ClassNames
from serving.images.labels.known import known_layouts
from serving.images.labels.listed import WHAT, Listed, ListedImage, listed
from serving.images.labels.matching import Matching
from serving.images.layout import SourceFile
from serving.images.settings import DatasetSettings
from serving.images.walks import Entry
from transform_module.contract import LABELS
from transform_module.errors import NothingValid
from transform_module.files.source_path import Source
from transform_module.text import as_text

UNLISTED: Final = "not in the table of labels"
NOT_THERE: Final = "listed in the table, and not there"


def labelled_files(images: Source, settings: DatasetSettings) -> Spool[SourceFile]:
    """Lists every file below a folder, with its label, sorted by path.

    With a table, an image that it lists and that is not there is among them, as a problem; a file
    that it does not list is skipped, and so is an image whose label is left out.

    Args:
        images: the image folder, here or in a store.
        settings: the table of labels or the public dataset, if there is one; and what cells mean.

    Raises:
        NothingValid: there is no image of a class.
        UserError: see `layout.scan` and `listed`; or a row may mean two files.
    """
    if settings.layout and settings.layout in known_layouts.KNOWN:
        images = source_of(images, "The image folder")
        rows = known_layouts.read(settings.layout, images, settings)
        return _of_table(images, f"The table of {settings.layout}", rows, settings)
    if settings.labels is None:
        return layout.scan(images, settings)
    table = tables.read(place_of(settings.labels, f"The {WHAT}"), WHAT)
    return _of_table(images, str(table.place), listed(table, settings), settings)


def tables_of(settings: DatasetSettings) -> list[Source]:
    """Returns the tables that the labels come from, but for those in the image folder."""
    if settings.labels is None:
        return []
    place = place_of(settings.labels, f"The {WHAT}")
    if settings.layout and settings.layout in known_layouts.KNOWN:
        return list(known_layouts.find_tables(settings.layout, place, settings.labels).values())
    return [place]


def matching_of(images: Source, table: str, rows: Listed) -> Matching[ListedImage]:
    """Returns how the rows of a table are matched with the files of a folder."""
    root = str(images.resolve()).rstrip("/").split("/")
    return Matching(rows, tuple(root), f"{table}, line")


def may_be_listed(entry: Entry) -> bool:
    """Returns whether a table may mean what was found below a folder."""
    return entry.skipped is None


def _of_table(
    images: Source, table: str, rows: Listed, settings: DatasetSettings
) -> Spool[SourceFile]:
    images, _, entries = layout.entries_of(images, ClassNames(settings.classes))
    matching = matching_of(images, table, rows)
    matching.match(as_text(entry.path) for entry in entries if may_be_listed(entry))
    has_splits = any(row.folder for row in rows.values())
    files = Spool[SourceFile](lambda file: file.path)
    for entry in entries:
        row = matching.row(as_text(entry.path)) if may_be_listed(entry) else None
        files.add(_source(entry, row, has_splits))
    there = sum(file.line > 0 for file in files)
    for file in _not_there(matching):
        files.add(file)
    if not there:
        raise NothingValid(_none_there(images, table, rows, entries))
    if not any(file.label for file in files):
        reasons = sorted({row.left_out for row in rows.values()})
        raise NothingValid(
            f"{table} lists no image of {' or '.join(LABELS)} that is in {images}; left out: "
            f"{', '.join(reasons)}."
        )
    return files


def _source(entry: Entry, row: ListedImage | None, has_splits: bool) -> SourceFile:
    above = as_text(entry.path).split("/")[:-1]
    depth = next((number for number, name in enumerate(above, 1) if split_of(name)), 0)
    by_path = (split_of(above[depth - 1]) or "") if depth else ""
    return SourceFile(
        path=entry.path,
        folder="" if row is None or row.left_out else row.folder if has_splits else by_path,
        label=row.label if row else "",
        size=entry.size,
        mtime_ns=entry.mtime_ns,
        readable=entry.readable,
        skipped=entry.skipped or (row.left_out or None if row else UNLISTED),
        problem=entry.problem,
        depth=depth,
        subtype=row.subtype if row else "",
        patient=row.patient if row else "",
        line=row.line if row else 0,
    )


def _not_there(matching: Matching[ListedImage]) -> Iterator[SourceFile]:
    for row in matching.without_file():
        if not row.left_out:
            yield SourceFile(
                path=os.fsencode(row.path),
                folder=row.folder,
                label=row.label,
                problem=NOT_THERE,
                line=row.line,
            )


def _none_there(images: Source, table: str, rows: Listed, entries: Spool[Entry]) -> str:
    first = next((as_text(entry.path) for entry in entries if may_be_listed(entry)), "nothing")
    return (
        f"None of the {len(rows):,} images that {table} lists is in {images}. A row names the file "
        f"whose path ends in what it has; received {next(iter(rows))}, and the folder holds, such "
        f"as, {first}."
    )
