"""RSNA Pneumonia Detection Challenge: 26,684 frontal images with labels.

Shih et al. 2019, "Augmenting the National Institutes of Health Chest Radiograph Dataset with Expert
Annotations of Possible Pneumonia" (Radiology: Artificial Intelligence 1(1)), and
kaggle.com/c/rsna-pneumonia-detection-challenge: stage_2_train_labels.csv (patientId, x, y, width,
height, Target; one row for each box) and stage_2_detailed_class_info.csv (patientId, class); images
as stage_2_train_images/{patientId}.dcm.

* PNEUMONIA: `Target` is 1 (a lung opacity). NORMAL: the class is `Normal`; `No Lung Opacity / Not
  Normal` is left out. Without the second table 0 is NORMAL, which mixes both.
* Patient: not known. `patientId` is the image's, and the images are of NIH ChestX-ray14, whose
  patients have several.
* Splits: none; the labels of stage_2_test_images are not published.
"""

from collections.abc import Mapping
from typing import Final

from serving.images.labels.class_names import normalized
from serving.images.labels.known.known_layout import KnownLayout, TableName
from serving.images.labels.label_cells import OTHER, number
from serving.images.labels.listed import Listed, ListedImage, add, path_of
from serving.images.labels.tables import Table
from serving.images.settings import DatasetSettings
from transform_module.contract import LABELS
from transform_module.errors import UserError


def _read(tables: Mapping[str, Table], settings: DatasetSettings) -> Listed:
    del settings  # There is neither an uncertain label nor a lateral view.
    table = tables["labels"]
    path, target = table.required("patientId"), table.required("Target")
    not_normal = _not_normal(tables["classes"]) if "classes" in tables else frozenset()
    found: Listed = {}
    for row in table.rows():
        line, cells = row
        value = number(cells[target])
        if value not in (0, 1):
            raise UserError(
                f"{table.where(line, target)}: expected 0 or 1. Received: {cells[target]!r}."
            )
        name = path_of(table, row, path)
        left_out = OTHER if not value and name in not_normal else ""
        add(found, ListedImage(name, line, "" if left_out else LABELS[value], left_out), table)
    return found


def _not_normal(table: Table) -> frozenset[str]:
    path, kind = table.required("patientId"), table.required("class")
    return frozenset(
        cells[path] for _, cells in table.rows() if normalized(cells[kind]) != "normal"
    )


RSNA: Final = KnownLayout(
    (
        TableName("labels", ("stage_2_train_labels.csv",)),
        TableName("classes", ("stage_2_detailed_class_info.csv",), is_required=False),
    ),
    _read,
)
