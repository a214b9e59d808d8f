"""Labelled images of a CSV file."""

import csv
import difflib
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from serving.evaluate.labelled import Labelled, LabelledSet, subtype_of
from serving.images.patient_names import Named, by_names
from transform_module.contract import LABELS
from transform_module.errors import NothingValid, UserError
from transform_module.text import printable

PATH: Final = "path"
LABEL: Final = "label"
PATIENT: Final = "patient"
SUBTYPE: Final = "subtype"


def read(table: Path, others: Sequence[str] = ()) -> LabelledSet:
    """Reads the images and labels of a table.

    Args:
        table: CSV file with the columns ``path``, relative to the table's folder, and ``label``,
            NORMAL or PNEUMONIA in any case, or 0 or 1; and, where they are known, ``patient`` and
            ``subtype``. Without these the names of the public dataset give them.
        others: further columns that are wanted.

    Returns:
        The images, in the order of the table.

    Raises:
        NothingValid: it holds no row.
        UserError: it cannot be read, lacks a column, or a row is a mistake.
    """
    try:
        text = table.read_text(encoding="utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""))
        rows = [(reader.line_num, row) for row in reader]
    except UnicodeDecodeError as error:
        raise UserError(
            f"{table} is not a table of labels: it holds no text. Give a CSV file or a folder."
        ) from error
    except (OSError, csv.Error) as error:
        raise UserError(f"The table of labels {table} cannot be read: {error}") from error
    columns = list(reader.fieldnames or ())
    if not columns:
        raise NothingValid(f"The table of labels {table} is empty.")
    for name in (PATH, LABEL, *others):
        if name not in columns:
            raise UserError(_no_column(table, name, columns))
    lines: dict[str, int] = {}
    images = []
    for line, row in rows:
        where = f"{table}, line {line}"
        cells = {name: printable((row[name] or "").strip()) for name in columns}
        written = (row[PATH] or "").strip()
        name = cells[PATH]
        if not name:
            raise UserError(f"{where}: the path is empty.")
        if name in lines:
            raise UserError(
                f"{where}: {name} is in line {lines[name]} already. Keep one line for each image."
            )
        lines[name] = line
        label = _label(cells[LABEL], where)
        images.append(
            Labelled(
                file=table.parent / written,
                name=name,
                label=label,
                subtype=cells.get(SUBTYPE) or subtype_of(label, name),
                patient=cells.get(PATIENT) or None,
                others={other: cells[other] for other in others},
            )
        )
    if not images:
        raise NothingValid(f"The table of labels {table} holds no row.")
    named = by_names([Named(image.label, image.name) for image in images])
    return LabelledSet(
        [
            image if image.patient or not known else replace(image, patient=known.id)
            for image, known in zip(images, named, strict=True)
        ]
    )


def _label(text: str, where: str) -> str:
    by_text = {**{name: name for name in LABELS}, **{str(i): name for i, name in enumerate(LABELS)}}
    if text.upper() not in by_text:
        raise UserError(
            f"{where}: the label must be {' or '.join(LABELS)}, or "
            f"{' or '.join(str(index) for index in range(len(LABELS)))}. Received: {text!r}"
        )
    return by_text[text.upper()]


def _no_column(table: Path, name: str, columns: Sequence[str]) -> str:
    by_lower = {column.lower(): column for column in columns}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    advice = f" Did you mean {by_lower[near[0]]}?" if near else ""
    return (
        f"The table of labels {table} has no column {name}.{advice} "
        f"It has: {', '.join(columns) or 'none'}."
    )
