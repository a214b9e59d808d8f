"""PadChest: 160,868 images of 67,625 patients.

Bustos et al. 2020, "PadChest: A large chest x-ray image dataset with multi-label annotated reports"
(Medical Image Analysis 66), and bimcv.cipf.es/bimcv-projects/padchest: the table
PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv.gz with ImageID, ImageDir, StudyID, PatientID,
Projection and Labels (`['pneumonia', 'infiltrates']`); images of 16 bits as {ImageDir}/{ImageID}.

* PNEUMONIA: `pneumonia` or `atypical pneumonia` is among `Labels`. NORMAL: they are `normal` alone.
  Others are left out.
* Patient: `PatientID`. View: `Projection` of PA, AP and AP_horizontal is taken; L, COSTAL, EXCLUDE
  and others are left out.
* Splits: none.
"""

from collections.abc import Mapping
from typing import Final

from serving.images.labels.class_names import normalized
from serving.images.labels.known.known_layout import KnownLayout, TableName, left_out_by_view
from serving.images.labels.label_cells import OTHER, findings
from serving.images.labels.listed import Listed, ListedImage, add, path_of
from serving.images.labels.tables import Table
from serving.images.settings import DatasetSettings
from transform_module.contract import LABELS

_NORMAL, _PNEUMONIA = LABELS
_OF_PNEUMONIA: Final = frozenset({"pneumonia", "atypical pneumonia"})


def _read(tables: Mapping[str, Table], settings: DatasetSettings) -> Listed:
    table = tables["labels"]
    path, patient, view, labels = map(
        table.required, ("ImageID", "PatientID", "Projection", "Labels")
    )
    found: Listed = {}
    for row in table.rows():
        line, cells = row
        label = _label({normalized(finding) for finding in findings(cells[labels])})
        left_out = left_out_by_view(cells[view], settings) or ("" if label else OTHER)
        image = ListedImage(
            path=path_of(table, row, path),
            line=line,
            label="" if left_out else label,
            left_out=left_out,
            patient=f"padchest-patient-{cells[patient]}",
        )
        add(found, image, table)
    return found


def _label(named: set[str]) -> str:
    if named & _OF_PNEUMONIA:
        return _PNEUMONIA
    return _NORMAL if named == {"normal"} else ""


PADCHEST: Final = KnownLayout(
    (
        TableName(
            "labels",
            (
                "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv",
                "PADCHEST_chest_x_ray_images_labels_160K.csv",
            ),
        ),
    ),
    _read,
)
