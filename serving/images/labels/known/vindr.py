"""VinDr-CXR: 18,000 frontal (PA) images.

Nguyen et al. 2022, "VinDr-CXR: An open dataset of chest X-rays with radiologist's annotations"
(Scientific Data 9:429), and physionet.org/content/vindr-cxr/1.0.0, whose folder annotations holds
image_labels_train.csv (image_id, rad_id and a column for each finding; three radiologists, a row
each) and image_labels_test.csv (a row by consensus of five); images as train/{image_id}.dicom and
test/.

* PNEUMONIA: more than half of an image's rows have 1 in `Pneumonia`. NORMAL: more than half have 1
  in `No finding`. Others are left out.
* Patient: not known; what could identify one was removed.
* Splits: train and test, by table.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from serving.images.labels.known.known_layout import KnownLayout, TableName
from serving.images.labels.label_cells import OTHER
from serving.images.labels.listed import Listed, ListedImage, TwoColumns, add, path_of
from serving.images.labels.tables import Table
from serving.images.settings import DatasetSettings


def _read(tables: Mapping[str, Table], settings: DatasetSettings) -> Listed:
    found: Listed = {}
    for folder, table in tables.items():
        path = table.required("image_id")
        labels = TwoColumns(
            table, table.required("Pneumonia"), table.required("No finding"), settings
        )
        votes: dict[str, Counter[str]] = {}
        lines: dict[str, int] = {}
        for row in table.rows():
            name = path_of(table, row, path)
            votes.setdefault(name, Counter())[labels.read(row).label] += 1
            lines.setdefault(name, row[0])
        for name, given in votes.items():
            label, most = given.most_common(1)[0]
            if 2 * most <= given.total():
                label = ""
            left_out = "" if label else OTHER
            add(found, ListedImage(name, lines[name], label, left_out, folder=folder), table)
    return found


VINDR: Final = KnownLayout(
    (
        TableName("train", ("image_labels_train.csv",), is_required=False),
        TableName("test", ("image_labels_test.csv",), is_required=False),
    ),
    _read,
)
