import json

import pytest

from components.task import with_beam_args
from transform_module.errors import UserError


def argv(**parameters):
    invocation = {"inputs": {"parameterValues": parameters}}
    return ["task", "--json_serialized_invocation_args", json.dumps(invocation), "--other", "1"]


def test_beam_gets_what_the_parameter_says():
    given = argv(beam_args="--runner=DataflowRunner --experiments='a b'", epochs=3)
    assert with_beam_args(given) == [*given, "--runner=DataflowRunner", "--experiments=a b"]


@pytest.mark.parametrize("parameters", [{}, {"beam_args": ""}, {"epochs": 3}])
def test_without_it_nothing_is_added(parameters):
    assert with_beam_args(argv(**parameters)) == argv(**parameters)


def test_a_quotation_without_its_end_is_reported():
    with pytest.raises(UserError, match="No closing quotation"):
        with_beam_args(argv(beam_args="--name='x"))
