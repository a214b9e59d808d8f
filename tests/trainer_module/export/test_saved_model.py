from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from serving.model import Model
from tests.images import encode
from trainer_module.decision.calibration import Calibration
from trainer_module.decision.triage import Triage
from trainer_module.export import saved_model
from trainer_module.models import compact
from transform_module.contract import IMAGE_SIZE


def test_a_label_is_pneumonia_from_the_threshold_on():
    threshold = np.float32(0.7)
    below = np.nextafter(threshold, np.float32(0))
    labels = saved_model.predicted_labels(
        tf.constant([below, threshold, 1.0, 1.0]),
        tf.constant([True, True, True, False]),
        float(threshold),
    )
    assert labels.numpy().tolist() == [b"NORMAL", b"PNEUMONIA", b"PNEUMONIA", b"INVALID"]


@pytest.mark.slow
def test_an_image_out_of_domain_is_for_review_where_others_are_decided(transformed, tmp_path):
    dark = np.linspace(0, 100, 60 * 80).reshape(60, 80).astype(np.uint8)
    images = [encode(dark, "png-grey"), encode(dark + 150, "png-grey"), b"broken"]
    saved_model.export(
        compact.build(compact.Settings(filters=(4, 4)), size=IMAGE_SIZE, synchronized=False),
        tft.TFTransformOutput(transformed.graph),
        tmp_path / "model",
        calibration=Calibration(),
        domain=SimpleNamespace(
            distance=lambda pixels: tf.reduce_mean(pixels, axis=(1, 2, 3)), threshold=0.5
        ),
        threshold=0.5,
        # Every probability is typical of NORMAL, and of it alone.
        triage=Triage(normal_up_to=1.0, pneumonia_from=1.0),
        record={},
    )
    found = Model(tmp_path / "model").predict(images)
    assert [each.in_domain for each in found] == [True, False, False]
    assert [each.triage for each in found] == ["NORMAL", "REVIEW", "REVIEW"]
