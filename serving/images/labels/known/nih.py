"""NIH ChestX-ray14: 112,120 frontal images of 30,805 patients.

Wang et al. 2017, "ChestX-ray8: Hospital-scale Chest X-ray Database and Benchmarks" (CVPR), and the
files README_ChestXray.pdf, Data_Entry_2017.csv (later Data_Entry_2017_v2020.csv),
train_val_list.txt and test_list.txt of nihcc.app.box.com/v/ChestXray-NIHCC; images in
images_001/images/ and so on.

* PNEUMONIA: `Pneumonia` is among `Finding Labels`. NORMAL: they are `No Finding`. Others are left
  out.
* Patient: `Patient ID`. Test set: test_list.txt.
"""

from collections.abc import Mapping
from typing import Final

from serving.images.labels.class_names import ClassNames
from serving.images.labels.known.known_layout import KnownLayout, TableName
from serving.images.labels.label_cells import OTHER, LabelColumn, Labelled
from serving.images.labels.listed import Listed, ListedImage, add, path_of
from serving.images.labels.tables import Table
from serving.images.settings import DatasetSettings


def _read(tables: Mapping[str, Table], settings: DatasetSettings) -> Listed:
    table = tables["labels"]
    path, findings, patient = map(table.required, ("Image Index", "Finding Labels", "Patient ID"))
    cells_of = LabelColumn(ClassNames(settings.classes), settings.uncertain, holds_findings=True)
    lists = {
        folder: _names(tables[role])
        for role, folder in (("train_val", "train"), ("test", "test"))
        if role in tables
    }
    found: Listed = {}
    for row in table.rows():
        line, cells = row
        name = path_of(table, row, path)
        label = cells_of.read(cells[findings]) or Labelled("", left_out=OTHER)
        add(
            found,
            ListedImage(
                path=name,
                line=line,
                label=label.label,
                left_out=label.left_out,
                # As the names of the files have it.
                patient=f"nih-{cells[patient]:0>8}",
                folder=next((folder for folder, names in lists.items() if name in names), ""),
            ),
            table,
        )
    return found


def _names(table: Table) -> frozenset[str]:
    """Returns the names of a list, which has no header."""
    return frozenset((*table.columns[:1], *(cells[0] for _, cells in table.rows())))


NIH: Final = KnownLayout(
    (
        TableName("labels", ("Data_Entry_2017_v2020.csv", "Data_Entry_2017.csv")),
        TableName("train_val", ("train_val_list.txt",), is_required=False),
        TableName("test", ("test_list.txt",), is_required=False),
    ),
    _read,
)
