"""MIMIC-CXR-JPG: 377,110 images of 65,379 patients.

Johnson et al. 2019, "MIMIC-CXR-JPG, a large publicly available database of labeled chest
radiographs" (arXiv:1901.07042), and physionet.org/content/mimic-cxr-jpg/2.0.0: the tables
mimic-cxr-2.0.0-chexpert.csv.gz (subject_id, study_id, findings), -metadata.csv.gz (dicom_id,
ViewPosition) and -split.csv.gz; images as files/p10/p10000032/s50414267/{dicom_id}.jpg.

* PNEUMONIA: `Pneumonia` of the study is 1; -1 by the setting `uncertain`. NORMAL: `No Finding` is
  1. Images of other studies, and of studies without labels, are left out.
* Patient: `subject_id`. View: AP and PA are taken; lateral ones, others and those without a view
  are left out.
* Splits: train, validate and test of the table.
"""

from collections.abc import Mapping
from typing import Final

from serving.images.folders import split_of
from serving.images.labels.known.known_layout import KnownLayout, TableName, left_out_by_view
from serving.images.labels.label_cells import OTHER, Labelled
from serving.images.labels.listed import Listed, ListedImage, TwoColumns, add
from serving.images.labels.tables import Table
from serving.images.settings import DatasetSettings

_NO_LABEL: Final = Labelled("", left_out=OTHER)


def _read(tables: Mapping[str, Table], settings: DatasetSettings) -> Listed:
    studies = _studies(tables["labels"], settings)
    splits = _splits(tables["split"]) if "split" in tables else {}
    table = tables["metadata"]
    image_column, subject, study, view = map(
        table.required, ("dicom_id", "subject_id", "study_id", "ViewPosition")
    )
    found: Listed = {}
    for line, cells in table.rows():
        label = studies.get(cells[study], _NO_LABEL)
        left_out = left_out_by_view(cells[view], settings) or label.left_out
        patient = cells[subject]
        image = ListedImage(
            path=f"p{patient[:2]}/p{patient}/s{cells[study]}/{cells[image_column]}",
            line=line,
            label="" if left_out else label.label,
            left_out=left_out,
            patient=f"mimic-p{patient}",
            folder=splits.get(cells[image_column], ""),
        )
        add(found, image, table)
    return found


def _studies(table: Table, settings: DatasetSettings) -> dict[str, Labelled]:
    study = table.required("study_id")
    labels = TwoColumns(table, table.required("Pneumonia"), table.required("No Finding"), settings)
    return {row[1][study]: labels.read(row) for row in table.rows()}


def _splits(table: Table) -> dict[str, str]:
    image, split = table.required("dicom_id"), table.required("split")
    return {cells[image]: split_of(cells[split]) or "" for _, cells in table.rows()}


MIMIC: Final = KnownLayout(
    (
        TableName("labels", ("mimic-cxr-2.0.0-chexpert.csv",)),
        TableName("metadata", ("mimic-cxr-2.0.0-metadata.csv",)),
        TableName("split", ("mimic-cxr-2.0.0-split.csv",), is_required=False),
    ),
    _read,
)
