import pytest

from serving.analysis.findings import Estimate
from serving.report.drawing.figure_text import (
    defined,
    figure,
    interval,
    signed,
    with_interval,
)
from tests.serving.report import made


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.94486, "0.945"),
        (1.0, "1.000"),
        (-0.25, "\u22120.250"),
        (-0.0001, "0.000"),
        (None, "\u2013"),
    ],
)
def test_a_figure_has_three_digits_and_a_true_minus(value, text):
    assert figure(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.01, "+0.010"), (-0.01, "\u22120.010"), (0.0, "0.000"), (None, "\u2013")]
)
def test_a_difference_has_its_sign(value, text):
    assert signed(value) == text


def test_an_interval_is_behind_its_figure():
    assert with_interval(Estimate(0.9, 0.8, 0.95)) == "0.900 (0.800 to 0.950)"
    assert with_interval(Estimate(0.9)) == "0.900"
    assert with_interval(Estimate(0.1, -0.1, 0.3), difference=True) == (
        "+0.100 (\u22120.100 to +0.300)"
    )
    assert interval(Estimate(0.9, 0.8, None)) == ""


def test_a_figure_that_no_group_defines_is_not_reported():
    groups = made.findings().slices["subtype"]
    assert "auc" not in defined(groups)
    assert {"sensitivity", "specificity"} <= set(defined(groups))
