import json
import math

import pytest

from serving import strict_json


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_null_however_deep(value):
    content = {"a": value, "b": [1.5, (value, {"c": value})], "d": "NaN"}
    text = strict_json.dumps(content)
    assert json.loads(text, parse_constant=pytest.fail) == {
        "a": None,
        "b": [1.5, [None, {"c": None}]],
        "d": "NaN",
    }


def test_all_else_is_what_python_writes():
    content = {"a": [1, 2.5, True, None, "ä"], "b": {"c": []}}
    assert strict_json.dumps(content, indent=2) == json.dumps(content, indent=2)
