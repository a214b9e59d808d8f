import click
import pytest
from click.testing import CliRunner

from pipeline.cli.exit_codes import NOTHING_VALID, where_nothing_is_valid
from transform_module.errors import NothingValid, UserError


def ended(error):
    @click.command()
    def command():
        with where_nothing_is_valid():
            raise error

    return CliRunner().invoke(command)


def test_nothing_valid_has_its_own_exit_code_and_its_message():
    result = ended(NothingValid("None of 2."))
    assert (result.exit_code, result.stderr) == (NOTHING_VALID, "Error: None of 2.\n")


@pytest.mark.parametrize("error", [UserError("a mistake"), ValueError("a fault")])
def test_other_errors_pass(error):
    assert ended(error).exception is error
