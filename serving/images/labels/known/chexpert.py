"""CheXpert: 224,316 images of 65,240 patients.

Irvin et al. 2019, "CheXpert: A Large Chest Radiograph Dataset with Uncertainty Labels and Expert
Comparison" (AAAI), and the tables train.csv, valid.csv and test_labels.csv of the release; paths
such as CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg.

* PNEUMONIA: `Pneumonia` is 1; -1 by the setting `uncertain`. NORMAL: `No Finding` is 1. An image of
  neither is left out, as 0 says that pneumonia was mentioned and denied, beside whatever else.
* Patient: in the path. View: `Frontal/Lateral`, or the name of the file.
* Splits: that of the table, which is the folder, too.
"""

import re
from collections.abc import Mapping
from typing import Final

from serving.images.labels import views
from serving.images.labels.known.known_layout import KnownLayout, TableName
from serving.images.labels.listed import Listed, ListedImage, TwoColumns, add, path_of
from serving.images.labels.tables import Table
from serving.images.settings import DatasetSettings
from transform_module.errors import UserError

_PATH = re.compile(r"(?:^|/)((?:train|valid|test)/(patient\d+)/.*)$")
_FOLDERS: Final = {"train": "train", "valid": "val", "test": "test"}


def _read(tables: Mapping[str, Table], settings: DatasetSettings) -> Listed:
    found: Listed = {}
    for role, table in tables.items():
        path = table.required("Path")
        view = table.column(("frontallateral",))
        labels = TwoColumns(
            table, table.required("Pneumonia"), table.required("No Finding"), settings
        )
        for row in table.rows():
            line, cells = row
            written = path_of(table, row, path)
            match = _PATH.search(written)
            if match is None:
                raise UserError(
                    f"{table.where(line, path)}: expected a path such as "
                    f"train/patient00001/study1/view1_frontal.jpg. Received: {written!r}."
                )
            label = labels.read(row)
            is_lateral = views.is_lateral(cells[view]) if view is not None else False
            left_out = label.left_out
            if settings.lateral == "drop" and (is_lateral or written.endswith("_lateral.jpg")):
                left_out = views.LATERAL
            image = ListedImage(
                path=match[1],
                line=line,
                label="" if left_out else label.label,
                left_out=left_out,
                patient=f"chexpert-{match[2]}",
                folder=_FOLDERS[role],
            )
            add(found, image, table)
    return found


CHEXPERT: Final = KnownLayout(
    (
        TableName("train", ("train.csv",), is_required=False),
        TableName("valid", ("valid.csv",), is_required=False),
        TableName("test", ("test.csv", "test_labels.csv"), is_required=False),
    ),
    _read,
)
