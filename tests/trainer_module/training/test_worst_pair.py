import math

import numpy as np
import pytest

from trainer_module.training.worst_pair import Shares, worst_pair

THRESHOLDS = np.linspace(-0.001, 1.001, 401)


def shares(normal, pneumonia):
    """Of probabilities."""
    return Shares(
        *(np.greater.outer(each, THRESHOLDS).mean(axis=0) for each in (normal, pneumonia))
    )


def test_a_model_that_confuses_the_classes_of_two_views_is_found_out():
    """Each view is separated without an error, at another place of the scale."""
    low = shares(normal=[0.1, 0.2], pneumonia=[0.3, 0.4])
    high = shares(normal=[0.6, 0.7], pneumonia=[0.8, 0.9])
    assert worst_pair([low]) == worst_pair([high]) == pytest.approx(1)
    assert worst_pair([low, high]) == pytest.approx(0)


def test_of_one_view_it_is_the_area_under_its_curve():
    random = np.random.default_rng(3)
    normal, pneumonia = random.uniform(0, 0.8, 200), random.uniform(0.2, 1, 100)
    expected = np.greater.outer(pneumonia, normal).mean()
    assert worst_pair([shares(normal, pneumonia)]) == pytest.approx(expected, abs=2e-3)


def test_without_a_class_there_is_none():
    lacking = Shares(np.full(5, math.nan), np.linspace(1, 0, 5))
    full = Shares(np.linspace(1, 0, 5), np.linspace(1, 0, 5))
    assert math.isnan(worst_pair([full, lacking]))
