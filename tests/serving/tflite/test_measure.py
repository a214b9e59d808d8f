import numpy as np
import pytest

from serving.tflite.measure import Answers, compare


def test_answers_are_compared_with_the_reference():
    reference = Answers(np.array([0.1, 0.9], np.float32), 5.0)
    answers = Answers(np.array([0.2, 0.6], np.float32), 2.0)
    measured = compare(answers, reference, np.array([0, 1]))
    assert (measured.auc, measured.p50_ms) == (1.0, 2.0)
    assert measured.largest_difference == pytest.approx(0.3)
