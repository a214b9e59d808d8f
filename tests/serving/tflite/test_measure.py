import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.tflite.measure import Answers, auc, compare

judged = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1)), min_size=1, max_size=40)


@given(judged)
def test_auc_is_the_share_of_pairs_in_the_right_order(judged):
    levels, labels = np.array(judged).T
    pairs = [
        (high > low) + (high == low) / 2
        for high in levels[labels == 1]
        for low in levels[labels == 0]
    ]
    wanted = pytest.approx(np.mean(pairs)) if pairs else None
    assert auc(levels / 5, labels) == wanted


def test_answers_are_compared_with_the_reference():
    reference = Answers(np.array([0.1, 0.9], np.float32), 5.0)
    answers = Answers(np.array([0.2, 0.6], np.float32), 2.0)
    measured = compare(answers, reference, np.array([0, 1]))
    assert (measured.auc, measured.p50_ms) == (1.0, 2.0)
    assert measured.largest_difference == pytest.approx(0.3)
