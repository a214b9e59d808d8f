import json

import numpy as np
import pytest

from serving.align import scores
from serving.align.scores import Scores
from transform_module.contract import REFERENCE_SCORES
from transform_module.errors import UserError

NORMAL = {"logits": [-2.0, -1.0], "patients": [0, 0], "out_of_domain": 0.5, "domain_patients": 1}
PNEUMONIA = {"logits": [3.0], "patients": [1], "out_of_domain": 0, "domain_patients": 1}


def written(folder, content):
    path = folder / REFERENCE_SCORES
    path.parent.mkdir()
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def test_images_of_a_patient_share_its_weight():
    patients = np.array(["a", "b", "a", "a"])
    assert scores.weights_of(patients) == pytest.approx([1 / 6, 1 / 2, 1 / 6, 1 / 6])
    assert Scores(np.zeros(4), patients, np.zeros(4, bool)).number_of_patients == 2


def test_a_reference_is_read_by_class(tmp_path):
    found = scores.read(written(tmp_path, {"NORMAL": NORMAL, "PNEUMONIA": PNEUMONIA}))
    assert found.labels.tolist() == [0, 0, 1]
    assert [each.tolist() for each in found.of(0)] == [[-2.0, -1.0], [0, 0]]
    assert found.flagged == ((0.5, 1), (0.0, 1))


def test_a_model_of_before_is_refused(tmp_path):
    with pytest.raises(UserError, match="was pushed before models recorded how they score"):
        scores.read(tmp_path)


@pytest.mark.parametrize("content", ["{", "[]", {"NORMAL": NORMAL}])
def test_a_damaged_reference_is_named(tmp_path, content):
    with pytest.raises(UserError, match=r"reference_scores\.json cannot be read"):
        scores.read(written(tmp_path, content))


def test_a_reference_without_a_class_is_refused(tmp_path):
    none = {**PNEUMONIA, "logits": [], "patients": []}
    with pytest.raises(UserError, match="it was calibrated on is PNEUMONIA"):
        scores.read(written(tmp_path, {"NORMAL": NORMAL, "PNEUMONIA": none}))
