import pytest

from tests.serving.images.labels.known.miniatures import chexpert
from transform_module.errors import UserError


def test_uncertain_labels_and_lateral_views_are_taken_where_that_is_set(read):
    rows = read("chexpert", chexpert(), uncertain="positive", lateral="keep")
    assert rows["train/patient00020/study1/view1_frontal.jpg"].label == "PNEUMONIA"
    assert rows["train/patient00001/study1/view1_lateral.jpg"].label == "NORMAL"


def test_the_labels_of_the_test_set_make_a_test_folder(read):
    made = chexpert()
    made.tables["test_labels.csv"] = (
        b"Path,No Finding,Pneumonia\ntest/patient64741/study1/view1_frontal.jpg,1,0\n"
    )
    row = read("chexpert", made)["test/patient64741/study1/view1_frontal.jpg"]
    assert (row.label, row.folder, row.patient) == ("NORMAL", "test", "chexpert-patient64741")


def test_another_path_is_refused(read):
    made = chexpert()
    made.tables["train.csv"] = b"Path,No Finding,Pneumonia\nimages/a.jpg,1,0\n"
    with pytest.raises(UserError, match=r"line 2, column Path: expected a path such as train/pat"):
        read("chexpert", made)
