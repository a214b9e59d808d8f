import pydantic
import pytest

from components.evaluator.settings import EvaluationSettings

SHARES = (
    "minimum_auc",
    "minimum_sensitivity",
    "maximum_auc_drop",
    "maximum_sensitivity_drop",
    "maximum_invalid_share",
)


def test_every_setting_is_reported_and_described():
    fields = EvaluationSettings.model_fields
    assert set(fields) == set(SHARES)
    assert all(field.description for field in fields.values())


@pytest.mark.parametrize("name", SHARES)
@pytest.mark.parametrize("value", [0, 1])
def test_a_share_may_be_nothing_or_all(name, value):
    assert getattr(EvaluationSettings(**{name: value}), name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name in SHARES for value in (-0.01, 1.01)],
)
def test_an_impossible_value_is_refused(name, value):
    with pytest.raises(pydantic.ValidationError, match=name):
        EvaluationSettings(**{name: value})


def test_an_unknown_setting_is_refused():
    with pytest.raises(pydantic.ValidationError, match="minimum_acu"):
        EvaluationSettings(minimum_acu=0.9)
