import click
import pytest
from click.testing import CliRunner

from pipeline.cli.exit_codes import NOTHING_USABLE, where_nothing_is_usable
from transform_module.errors import NothingUsable, UserError


def ended(error):
    @click.command()
    def command():
        with where_nothing_is_usable():
            raise error

    return CliRunner().invoke(command)


def test_nothing_usable_has_its_own_exit_code_and_its_message():
    result = ended(NothingUsable("None of 2."))
    assert (result.exit_code, result.stderr) == (NOTHING_USABLE, "Error: None of 2.\n")


@pytest.mark.parametrize("error", [UserError("a mistake"), ValueError("a fault")])
def test_other_errors_pass(error):
    assert ended(error).exception is error
