import pytest

from tests.serving.images.labels.known.miniatures import rsna
from transform_module.errors import UserError


def test_without_the_classes_all_that_shows_no_opacity_is_normal(read):
    made = rsna()
    del made.tables["stage_2_detailed_class_info.csv"]
    labels = [row.label for row in read("rsna", made).values()]
    assert (labels.count("NORMAL"), labels.count("PNEUMONIA")) == (9, 8)


def test_another_target_is_refused(read):
    made = rsna()
    made.tables["stage_2_train_labels.csv"] = b"patientId,Target\na,2\n"
    with pytest.raises(UserError, match=r"line 2, column Target: expected 0 or 1. Received: '2'"):
        read("rsna", made)
