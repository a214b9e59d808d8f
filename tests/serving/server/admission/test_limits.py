import pytest

from serving.server.admission.limits import Limits, parse
from transform_module.errors import UserError


def test_what_is_not_named_has_its_default():
    assert parse([]) == Limits()
    assert parse(["requests=3", "connections=7", "requests=4"]) == Limits(requests=4, connections=7)


@pytest.mark.parametrize(
    "setting",
    ["", "x=1", "requests", "requests=", "requests=1.5", "requests=-1", "requests=\u0663"],
)
def test_what_is_not_a_limit_is_refused(setting):
    with pytest.raises(UserError, match="--limit"):
        parse([setting])
