import csv

import numpy as np
import pytest

from serving.analysis import findings as contract
from serving.analysis.bootstrap import Bootstrap
from serving.analysis.compute import findings
from serving.evaluate import writing
from tests.serving.analysis.samples import predicted
from transform_module.errors import UserError

IMAGES = predicted(
    [1, 0, 1, 0, 1],
    [0.9, 0.1, 0.3, 0.2, 0.5],
    valid=[True] * 4 + [False],
    brightness=[1.5, 2, 3, 4, np.nan],
    subtype=["virus", "normal", "bacteria", "normal", "virus"],
)
REASONS = ["", "", "", "", "text file"]


@pytest.fixture
def written(tmp_path):
    found = findings(
        *(IMAGES,),
        model="m/1",
        record={},
        data="d",
        threshold=0.5,
        bootstrap=Bootstrap(replicates=50),
    )
    writing.write(tmp_path, found, IMAGES, REASONS)
    return tmp_path


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_image_has_a_row(written):
    found = rows(written / writing.IMAGES)
    assert [row["path"] for row in found] == IMAGES.path.tolist()
    first, *_, last = found
    assert (first["label"], first["predicted"], first["probability"]) == (
        "PNEUMONIA",
        "PNEUMONIA",
        "0.9",
    )
    assert found[2]["predicted"] == "NORMAL"
    assert (last["predicted"], last["probability"], last["brightness"]) == ("INVALID", "", "")
    assert last["reason"] == "text file"


def test_every_slice_has_a_row_and_everything_is_the_first(written):
    found = rows(written / writing.SLICES)
    assert [(row["dimension"], row["name"]) for row in found[:4]] == [
        ("", "all"),
        ("subtype", "bacteria"),
        ("subtype", "normal"),
        ("subtype", "virus"),
    ]
    assert float(found[0]["auc"]) == 1.0
    assert found[1]["auc"] == ""
    assert float(found[0]["sensitivity_low"]) < 0.5 < float(found[0]["sensitivity_high"])


def test_a_table_without_corruptions_has_its_head(written):
    text = (written / writing.CORRUPTIONS).read_text()
    assert text == "kind,images,auc,auc_drop,sensitivity,specificity,ece,strength\n"


def test_the_findings_can_be_read(written):
    assert contract.read(written / contract.FINDINGS).overall.images == 4


def test_a_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be made"):
        writing.prepare(tmp_path / "file" / "out")
    with pytest.raises(UserError, match="cannot be made"):
        writing.prepare(tmp_path / "file")


def test_a_file_that_cannot_be_written_is_reported(written):
    (written / writing.SLICES).unlink()
    (written / writing.SLICES).mkdir()
    with pytest.raises(UserError, match=r"slices.csv cannot be written"):
        writing.write(written, contract.read(written / contract.FINDINGS), IMAGES, REASONS)
