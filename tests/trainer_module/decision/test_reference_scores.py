import json
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tests.trainer_module import small
from trainer_module.decision import reference_scores
from trainer_module.decision.calibration import Calibration
from trainer_module.decision.out_of_fold import Predictions
from transform_module import contract


def test_scores_are_kept_by_label_with_patients_that_are_only_numbers(tmp_path):
    (tmp_path / contract.REFERENCE_SCORES).parent.mkdir()
    labels = np.array([0, 1, 1, 0])
    evaluation = small.images_of(
        np.array([0, 250, 250, 250], np.uint8).repeat(160 * 160).reshape(4, 160, 160, 1), labels
    )
    evaluation.patients[2] = evaluation.patients[1]
    probabilities = np.array([0.2, 0.8, 0.9, 0.5, 0.99], np.float32)
    scored = Predictions(
        probabilities,
        np.append(labels, 1),
        np.array([b"x", b"y", b"y", b"z", b"y"], object),
        probabilities,
    )
    bright = SimpleNamespace(
        distance=lambda pixels: tf.reduce_mean(pixels, axis=(1, 2, 3)), threshold=0.5
    )
    plain = np.array([True] * 4 + [False])
    reference_scores.write(tmp_path, scored, plain, Calibration(2.0, 1.0), evaluation, bright)
    found = json.loads((tmp_path / contract.REFERENCE_SCORES).read_text())
    normal, pneumonia = (found[name] for name in contract.LABELS)
    assert normal["logits"] == pytest.approx([2 * np.log(0.25) + 1, 1], abs=1e-3)
    assert pneumonia["logits"] == pytest.approx([2 * np.log(4) + 1, 2 * np.log(9) + 1], abs=1e-3)
    assert (normal["patients"], pneumonia["patients"]) == ([0, 2], [1, 1])
    assert (normal["out_of_domain"], normal["domain_patients"]) == (1, 2)
    assert (pneumonia["out_of_domain"], pneumonia["domain_patients"]) == (1, 1)
