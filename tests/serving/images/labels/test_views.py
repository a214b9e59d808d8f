import pytest

from serving.images.labels.views import is_frontal, is_lateral


@pytest.mark.parametrize("view", ["Lateral", "LL", "L", "LATERAL", "XTABLE LATERAL", "left lat"])
def test_a_view_from_the_side_is_lateral(view):
    assert is_lateral(view)
    assert not is_frontal(view)


@pytest.mark.parametrize("view", ["PA", "ap", "AP_horizontal", "Frontal", "AP AXIAL"])
def test_a_view_from_the_front_or_the_back_is_frontal(view):
    assert is_frontal(view)
    assert not is_lateral(view)


@pytest.mark.parametrize("view", ["", "COSTAL", "SWIMMERS", "APEX", "lung"])
def test_other_views_are_neither(view):
    assert not is_frontal(view)
    assert not is_lateral(view)
