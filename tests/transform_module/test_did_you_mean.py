import pytest

from transform_module.did_you_mean import did_you_mean, nearest


@pytest.mark.parametrize(
    ("given", "meant"),
    [("fasst", "fast"), ("FAST", "fast"), ("trainer", "Trainer"), ("zzz", ""), ("", "")],
)
def test_the_nearest_name_is_found_in_any_case(given, meant):
    assert nearest(given, ["best", "fast", "Trainer"]) == meant


def test_a_name_is_suggested_only_where_one_is_similar():
    assert did_you_mean("bset", ["best", "fast"]) == " Did you mean best?"
    assert did_you_mean("x", ["best", "fast"]) == ""
    assert did_you_mean("x", []) == ""
