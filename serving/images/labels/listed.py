"""Images that a table lists, with their labels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, get_args

from serving.images.folders import ALSO_SPLITS, FOLDERS, split_of
from serving.images.labels import label_cells, views
from serving.images.labels.class_names import ClassNames
from serving.images.labels.label_cells import LabelColumn, Labelled
from serving.images.labels.tables import Row, Table
from serving.images.settings import DatasetSettings, Layout
from transform_module.contract import LABELS
from transform_module.errors import NothingValid, UserError
from transform_module.text import printable

WHAT: Final = "table of labels"

_SHOWN = 8

# The usual names, as `compared` writes them; of two that a table has, the first one counts.
PATH_COLUMNS: Final = (
    "path",
    "filepath",
    "imagepath",
    "file",
    "filename",
    "image",
    "imagefile",
    "imagename",
    "imageindex",
    "imageid",
    "dicomid",
    "xrayimagename",
)
LABEL_COLUMNS: Final = (
    "label",
    "labels",
    "class",
    "classname",
    "target",
    "findinglabels",
    "findings",
    "finding",
    "diagnosis",
    "category",
    "groundtruth",
)
PATIENT_COLUMNS: Final = ("patient", "patientid", "subject", "subjectid")
_SPLIT_COLUMNS: Final = ("split", "set", "subset", "partition", "datasettype")
_VIEW_COLUMNS: Final = ("view", "viewposition", "projection", "frontallateral")
_SUBTYPE_COLUMNS: Final = ("subtype", "kind", "label1viruscategory")
_OF_PUBLIC: Final = (
    f" If it is of a public dataset, name that instead: --layout {'|'.join(get_args(Layout))}."
)
_PNEUMONIA_COLUMN: Final = ("pneumonia",)
_NO_FINDING_COLUMN: Final = ("nofinding", "nofindings", "normal")


@dataclass(frozen=True, slots=True)
class ListedImage:
    """An image that a table lists.

    Attributes:
        path: as the table has it, with slashes.
        line: in the table.
        label: one of LABELS; empty where it is left out.
        left_out: why it is left out; empty where it is not.
        patient: whose it is; empty where that is not said.
        folder: its split, one of FOLDERS; empty where that is not said.
        subtype: the kind of pneumonia; empty where that is not said.
        others: the cells of further columns.
    """

    path: str
    line: int
    label: str
    left_out: str = ""
    patient: str = ""
    folder: str = ""
    subtype: str = ""
    others: tuple[str, ...] = ()


Listed = dict[str, ListedImage]
"""Images by their paths, in the order of their table."""


def listed(table: Table, settings: DatasetSettings, others: Sequence[str] = ()) -> Listed:
    """Reads the images of a table of labels.

    Args:
        table: with columns of paths and labels, and maybe of patients, splits, views and subtypes,
            by any of their usual names. Instead of labels it may have a column `Pneumonia`, and one
            `No Finding`.
        settings: names of the classes; what becomes of uncertain labels and of lateral views.
        others: further columns that are wanted.

    Raises:
        NothingValid: it holds no row.
        UserError: a column is missing, or a row is a mistake.
    """
    if not table.columns:
        raise NothingValid(f"The {WHAT} {table.place} is empty.")
    path = table.required("path", PATH_COLUMNS, _OF_PUBLIC)
    labelled = _labels(table, settings)
    patient, split, view, subtype = map(
        table.column, (PATIENT_COLUMNS, _SPLIT_COLUMNS, _VIEW_COLUMNS, _SUBTYPE_COLUMNS)
    )
    wanted = [table.required(name) for name in others]
    found: Listed = {}
    for row in table.rows():
        line, cells = row
        label = labelled.read(row)
        image = ListedImage(
            path=path_of(table, row, path),
            line=line,
            label=label.label,
            left_out=label.left_out,
            patient=printable(cells[patient]) if patient is not None else "",
            folder=_split(table, row, split),
            subtype=_subtype(cells, subtype) or label.subtype,
            others=tuple(printable(cells[column]) for column in wanted),
        )
        if view is not None and settings.lateral == "drop" and views.is_lateral(cells[view]):
            image = replace(image, label="", left_out=views.LATERAL)
        add(found, image, table)
    if not found:
        raise NothingValid(f"The {WHAT} {table.place} holds no row.")
    return found


def add(found: Listed, image: ListedImage, table: Table) -> None:
    """Adds an image; the same row twice is one.

    Raises:
        UserError: it was added with another label, patient or split.
    """
    known = found.setdefault(image.path, image)
    if known is image or replace(known, line=0, others=()) == replace(image, line=0, others=()):
        return
    what = "labels" if (known.label, known.left_out) != (image.label, image.left_out) else "rows"
    raise UserError(
        f"{table.where(image.line)}: {image.path} is in line {known.line} already, and the two "
        f"{what} differ. Keep one line for each image."
    )


def path_of(table: Table, row: Row, column: int) -> str:
    """Returns the path of an image with slashes, as Windows writes it too.

    Raises:
        UserError: it is empty.
    """
    line, cells = row
    written = cells[column]
    if not written:
        raise UserError(f"{table.where(line, column)}: the path is empty.")
    if "/" not in written:
        written = written.replace("\\", "/")
    while written.startswith("./"):
        written = written[2:]
    return written


@dataclass(frozen=True)
class _OneColumn:
    """The labels of a column."""

    table: Table
    column: int
    cells: LabelColumn

    def read(self, row: Row) -> Labelled:
        line, cells = row
        text = cells[self.column]
        if not text:
            raise UserError(f"{self.table.where(line, self.column)}: the label is empty.")
        found = self.cells.read(text)
        if found is None:
            raise UserError(self._not_understood(line, text))
        return found

    def _not_understood(self, line: int, text: str) -> str:
        unknown = dict.fromkeys(
            printable(cells[self.column])
            for _, cells in self.table.rows()
            if cells[self.column] and self.cells.read(cells[self.column]) is None
        )
        proposal = ""
        if len(unknown) <= _SHOWN:
            proposal = (
                f" Write under which class each other label is: "
                f"{self.cells.names.proposal(unknown)} (in a configuration, dataset.classes)."
            )
        return (
            f"{self.table.where(line, self.column)}: the label must be {' or '.join(LABELS)}, or "
            f"{' or '.join(str(index) for index in range(len(LABELS)))}. Received: {text!r}."
            f"{proposal}"
        )


@dataclass(frozen=True)
class TwoColumns:
    """The labels of a column `Pneumonia`, and of one `No Finding`, as CheXpert has them.

    Attributes:
        table: the table.
        pneumonia: index of the column.
        no_finding: index of the column; without it 0 in the other one is NORMAL.
        settings: what becomes of uncertain labels.
    """

    table: Table
    pneumonia: int
    no_finding: int | None
    settings: DatasetSettings

    def read(self, row: Row) -> Labelled:
        """Reads the label of a row.

        Raises:
            UserError: a cell is none of 1, 0, -1 and empty.
        """
        pneumonia = self._number(row, self.pneumonia)
        if self.no_finding is not None:
            no_finding = self._number(row, self.no_finding)
            return label_cells.by_columns(pneumonia, no_finding, self.settings.uncertain)
        if pneumonia is None:
            return Labelled("", left_out=label_cells.OTHER)
        return label_cells.by_number(pneumonia, self.settings.uncertain)

    def _number(self, row: Row, column: int) -> int | None:
        line, cells = row
        value = label_cells.number(cells[column])
        if value is None and cells[column]:
            raise UserError(
                f"{self.table.where(line, column)}: expected 1, 0, -1 or nothing. Received: "
                f"{cells[column]!r}."
            )
        return value


def _labels(table: Table, settings: DatasetSettings) -> _OneColumn | TwoColumns:
    pneumonia = table.column(_PNEUMONIA_COLUMN)
    if table.column(LABEL_COLUMNS) is None and pneumonia is not None:
        return TwoColumns(table, pneumonia, table.column(_NO_FINDING_COLUMN), settings)
    column = table.required("label", LABEL_COLUMNS, _OF_PUBLIC)
    has_findings = label_cells.holds_findings(cells[column] for _, cells in table.rows())
    names = ClassNames(settings.classes)
    return _OneColumn(table, column, LabelColumn(names, settings.uncertain, has_findings))


def _split(table: Table, row: Row, column: int | None) -> str:
    line, cells = row
    if column is None or not cells[column]:
        return ""
    folder = split_of(cells[column])
    if folder is None:
        raise UserError(
            f"{table.where(line, column)}: the split must be one of {', '.join(FOLDERS)} "
            f"({ALSO_SPLITS}). Received: {cells[column]!r}."
        )
    return folder


def _subtype(cells: Sequence[str], column: int | None) -> str:
    return printable(cells[column]).lower() if column is not None else ""
