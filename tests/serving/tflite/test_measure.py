import numpy as np
import pytest

from serving.tflite.measure import Predictions, compare


def test_predictions_are_compared_with_the_reference():
    reference = Predictions(np.array([0.1, 0.9], np.float32), 5.0)
    predictions = Predictions(np.array([0.2, 0.6], np.float32), 2.0)
    measured = compare(predictions, reference, np.array([0, 1]))
    assert (measured.auc, measured.p50_ms) == (1.0, 2.0)
    assert measured.largest_difference == pytest.approx(0.3)
