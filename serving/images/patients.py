"""Patients of images, by a table, by a pattern, or by the names of public datasets."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from serving.files.local_paths import place_of
from serving.images.dataset import PatientsKnown
from serving.images.labels import tables
from serving.images.labels.listed import PATH_COLUMNS, PATIENT_COLUMNS, path_of
from serving.images.layout import SourceFile
from serving.images.patient_names import Named, Patient, finder, type_of_pneumonia
from serving.images.settings import DatasetSettings
from transform_module.contract import LABELS
from transform_module.errors import UserError
from transform_module.text import printable

UNKNOWN_SUBTYPE: Final = "unknown"
"""Subtype of a PNEUMONIA image whose name does not have it."""

TABLE: Final = "the table"
LABELS_TABLE: Final = "the table of labels"
PATTERN: Final = "the pattern"
GIVEN: Final = (TABLE, LABELS_TABLE, PATTERN)
"""What the user says of patients, which goes before what files say."""

_SHOWN = 3


def subtype(label: str, name: str, named: str = "") -> str:
    """Returns the subtype of an image.

    Args:
        label: its class, one of LABELS.
        name: file name without folders.
        named: the kind of pneumonia that its folder or a table names.

    Returns:
        ``normal`` for the class NORMAL; else what is named, or by the file's name ``bacteria``,
        ``virus`` or UNKNOWN_SUBTYPE.
    """
    if label == LABELS[0]:
        return label.lower()
    return named or type_of_pneumonia(name) or UNKNOWN_SUBTYPE


@dataclass(frozen=True)
class Patients:
    """Whose images files are.

    Attributes:
        find: returns the patient of a file, None where it is not known.
        notes: what to know of them, a sentence each.
    """

    find: Callable[[SourceFile], Patient | None]
    notes: tuple[str, ...] = ()

    def __call__(self, file: SourceFile) -> str | None:
        """Returns the id that images of the same patient share, None if unknown."""
        found = self.find(file)
        return found.id if found else None

    def known(self, files: Iterable[SourceFile]) -> PatientsKnown:
        """Counts the files whose patient is known, by the source."""
        total, by, unknown = 0, Counter[str](), Counter[str]()
        for file in files:
            total += 1
            if found := self.find(file):
                (by if found.is_patient else unknown)[found.known_by] += 1
        return PatientsKnown(
            images=total,
            known=by.total(),
            by=dict(by.most_common()),
            no_patient_in=dict(unknown.most_common()),
        )


def patient_finder(settings: DatasetSettings, files: Iterable[SourceFile]) -> Patients:
    """Finds the patients of the files of an image folder.

    The table is held in memory, and nothing of the files but counts.

    Args:
        settings: the table and the pattern, where given, and what becomes of files that the table
            does not name.
        files: all files of the image folder; they are read several times.

    Returns:
        The patients.

    Raises:
        UserError: the table cannot be read or misses files, or the table or the pattern fits none
            of the files, which is a mistake.
    """
    table = _read_table(settings.patients) if settings.patients else {}
    by_pattern = _by_pattern(settings.patient_pattern)

    def certain(file: SourceFile) -> Patient | None:
        if patient := next((table[name] for name in _names(file) if name in table), None):
            return Patient(patient, TABLE)
        if file.patient:
            return Patient(file.patient, LABELS_TABLE)
        return Patient(found, PATTERN) if (found := by_pattern(file)) else None

    def rest() -> Iterator[SourceFile]:
        return (file for file in _valid(files) if certain(file) is None)

    if settings.patient_pattern and not any(map(by_pattern, _valid(files))):
        first = next(_valid(files), None)
        if first:
            raise UserError(
                f"The patient pattern {settings.patient_pattern!r} fits none of the "
                f"{sum(1 for _ in _valid(files)):,} images, such as {first.below_class} (it is "
                "searched in the path below the class folder). Correct it, or leave it out."
            )
    notes = _check_table(settings, table, files, rest) if settings.patients else ()
    by_name = finder(_Named(rest))

    def find(file: SourceFile) -> Patient | None:
        if file.problem is not None or file.skipped:
            return None
        return certain(file) or by_name(_named(file))

    return Patients(find, notes)


def _valid(files: Iterable[SourceFile]) -> Iterator[SourceFile]:
    return (file for file in files if file.problem is None and not file.skipped)


def _named(file: SourceFile) -> Named:
    return Named(file.label, file.below_class)


@dataclass(frozen=True)
class _Named:
    """Files as `finder` takes them, which reads them more than once."""

    files: Callable[[], Iterator[SourceFile]]

    def __iter__(self) -> Iterator[Named]:
        return map(_named, self.files())


def _names(file: SourceFile) -> Iterable[str]:
    parts = file.filename.split("/")
    yield file.filename
    layout = bool(file.folder) + bool(file.label)
    if file.depth > layout:
        yield "/".join(parts[file.depth - layout :])


def _by_pattern(text: str | None) -> Callable[[SourceFile], str | None]:
    pattern = re.compile(text) if text else None

    def find(file: SourceFile) -> str | None:
        match = pattern.search(file.below_class) if pattern else None
        if match is None:
            return None
        return match["patient" if "patient" in match.re.groupindex else 1] or None

    return find


def _check_table(
    settings: DatasetSettings,
    table: Mapping[str, str],
    files: Iterable[SourceFile],
    rest: Callable[[], Iterator[SourceFile]],
) -> tuple[str, ...]:
    """Compares the table with the files.

    Returns:
        What is left to say of it.

    Raises:
        UserError: it names none of the files, or not all of them, and that is not allowed.
    """
    images, named, used = 0, 0, set()
    for file in _valid(files):
        found = [name for name in _names(file) if name in table]
        images += 1
        named += bool(found)
        used.update(found)
    if images and not named:
        received = f"received {next(iter(table))}" if table else "it holds no row"
        raise UserError(
            f"{settings.patients} names none of the images. Its column `path` holds paths "
            f"relative to the image folder, such as {next(_valid(files)).filename}; {received}."
        )
    missed = sum(1 for _ in rest())
    such_as = _such_as(file.filename for file in rest())
    if missed and settings.unlisted_patients == "refuse":
        raise UserError(
            f"{settings.patients} names {named:,} of {images:,} images, and misses "
            f"{missed:,}, {such_as}. Add the rows, or allow "
            "it: --unlisted-patients alone (dataset.unlisted_patients=alone) takes each of these "
            "images by its name, where that identifies the patient, or else as a patient of its "
            "own."
        )
    notes = []
    if missed:
        notes.append(f"The table of patients misses {missed:,} of {images:,} images, {such_as}.")
    unused = [name for name in table if name not in used]
    if unused:
        notes.append(
            f"{len(unused):,} of {len(table):,} rows of the table of patients name no image, "
            f"{_such_as(unused)}."
        )
    return tuple(notes)


def _such_as(names: Iterable[str]) -> str:
    return "such as " + ", ".join(name for name, _ in zip(names, range(_SHOWN), strict=False))


def _read_table(given: str) -> dict[str, str]:
    place = place_of(given, "The table of patients")
    table = tables.read(place, "table of patients")
    path, patient = table.column(PATH_COLUMNS), table.column(PATIENT_COLUMNS)
    if path is None or patient is None:
        missing = [name for name, found in (("path", path), ("patient", patient)) if found is None]
        raise UserError(
            f"The table of patients {place} has no column {' and none '.join(missing)}; "
            f"it has: {', '.join(table.columns) or 'none'}."
        )
    patients: dict[str, str] = {}
    for row in table.rows():
        line, cells = row
        if not cells[path] or not cells[patient]:
            raise UserError(
                f"{table.where(line)}: path and patient must both be filled. "
                f"Received: path={cells[path]!r}, patient={cells[patient]!r}."
            )
        name, whose = printable(path_of(table, row, path)), printable(cells[patient])
        if patients.setdefault(name, whose) != whose:
            raise UserError(
                f"{table.where(line)}: {name} has two patients, {patients[name]} and {whose}. "
                "Keep one line an image."
            )
    return patients
