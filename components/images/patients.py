"""Whose picture it is, told by a table, by a pattern, or by the names of the public dataset."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from components.errors import UserError
from components.images.layout import SourceFile
from components.images.settings import DatasetSettings
from transform_module.features import LABELS

UNKNOWN_SUBTYPE: Final = "unknown"
"""Subtype of a PNEUMONIA picture whose name does not tell it."""

# Kermany et al. 2018: `person100_bacteria_475.jpeg`; `IM-0115-0001.jpeg` and
# `NORMAL2-IM-0927-0001-0001.jpeg`. The number alone is not unique: it counts per type.
_PNEUMONIA_NAME = re.compile(r"person(?P<number>\d+)_(?P<type>bacteria|virus)_", re.IGNORECASE)
_NORMAL_NAME = re.compile(r"(?:(?P<series>normal\d*)-)?IM-(?P<number>\d+)-", re.IGNORECASE)


def known_patient(name: str) -> str | None:
    """Reads the patient's id out of a file name of the public dataset.

    Args:
        name: file name without folders.

    Returns:
        Type and number, such as ``bacteria-100`` or ``normal2-0927``; None for other names.
    """
    if match := _PNEUMONIA_NAME.match(name):
        return f"{match['type'].lower()}-{match['number']}"
    if match := _NORMAL_NAME.match(name):
        return f"{(match['series'] or 'normal').lower()}-{match['number']}"
    return None


def subtype(label: str, name: str) -> str:
    """Tells the subtype of a picture.

    Args:
        label: its class, one of LABELS.
        name: file name without folders.

    Returns:
        ``normal`` for the class NORMAL; ``bacteria``, ``virus`` or UNKNOWN_SUBTYPE else.
    """
    if label == LABELS[0]:
        return label.lower()
    match = _PNEUMONIA_NAME.match(name)
    return match["type"].lower() if match else UNKNOWN_SUBTYPE


def patient_finder(
    settings: DatasetSettings, files: Sequence[SourceFile]
) -> Callable[[SourceFile], str | None]:
    """Makes the function that names a file's patient.

    Args:
        settings: the table and the pattern, where given.
        files: all files of the image folder.

    Returns:
        A function from a file to its patient's id, None where nothing tells it.

    Raises:
        UserError: the table cannot be read, or the table or the pattern fits none of the files,
            which is a mistake.
    """
    table = _read_table(Path(settings.patients)) if settings.patients else {}
    pattern = re.compile(settings.patient_pattern) if settings.patient_pattern else None
    pictures = [file for file in files if file.problem is None and not file.skipped]

    def by_pattern(file: SourceFile) -> str | None:
        match = pattern.search(file.below_class) if pattern else None
        if match is None:
            return None
        return match["patient" if "patient" in match.re.groupindex else 1] or None

    def find(file: SourceFile) -> str | None:
        name = file.filename.rsplit("/", 1)[-1]
        return table.get(file.filename) or by_pattern(file) or known_patient(name)

    if pictures and table and not any(file.filename in table for file in pictures):
        raise UserError(
            f"{settings.patients} names none of the pictures. Its column `path` holds paths "
            f"relative to the image folder, such as {pictures[0].filename}; "
            f"received {next(iter(table))}."
        )
    if pictures and pattern and not any(map(by_pattern, pictures)):
        raise UserError(
            f"The patient pattern {settings.patient_pattern!r} fits none of the "
            f"{len(pictures):,} pictures, such as {pictures[0].below_class} (it is searched in "
            "the path below the class folder). Mend it, or leave it out."
        )
    return find


def _read_table(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The table of patients {path} cannot be read: {error}") from error
    rows = csv.DictReader(io.StringIO(text, newline=""))
    missing = {"path", "patient"} - set(rows.fieldnames or ())
    if missing:
        raise UserError(
            f"The table of patients {path} lacks the column(s) {', '.join(sorted(missing))}; "
            f"it has: {', '.join(rows.fieldnames or ()) or 'none'}."
        )
    table: dict[str, str] = {}
    for row in rows:
        name, patient = (row["path"] or "").strip(), (row["patient"] or "").strip()
        if not name or not patient:
            raise UserError(
                f"{path}, line {rows.line_num}: path and patient must both be filled. "
                f"Received: path={name!r}, patient={patient!r}."
            )
        if table.setdefault(name, patient) != patient:
            raise UserError(
                f"{path}, line {rows.line_num}: {name} has two patients, {table[name]} and "
                f"{patient}. Keep one line a picture."
            )
    return table
