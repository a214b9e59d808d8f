import click
import pytest
from click.testing import CliRunner

from pipeline.cli import command_group
from pipeline.cli.main import main


def failed(*words):
    result = CliRunner().invoke(main, list(words))
    assert result.exit_code == 2
    return result.stderr


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("rnu", "run"),
        ("trian", "run"),
        ("train", "run"),
        ("evalute", "evaluate"),
        ("predcit", "predict"),
        ("PREDICT", "predict"),
        ("rol-back", "rollback"),
        ("deploy", "serve"),
    ],
)
def test_an_unknown_command_is_refused_with_the_one_that_was_meant(given, meant):
    assert f"No such command '{given}'. Did you mean {meant}?" in failed(given)


def test_a_command_like_no_other_is_refused_without_a_guess():
    message = failed("xyzzy")
    assert "No such command 'xyzzy'." in message
    assert "Did you mean" not in message


def test_an_unknown_option_is_refused_with_the_nearest_one():
    assert "--images" in failed("run", "--imags", "x")


def test_every_other_word_means_a_command_and_is_none():
    assert set(command_group._SYNONYMS.values()) <= set(main.commands)
    assert not set(command_group._SYNONYMS) & set(main.commands)


@pytest.mark.parametrize(
    ("words", "advice"),
    [(("cx",), "main run --images cx"), (("a b", "c"), "main run --images 'a b'")],
)
def test_images_without_their_option_are_refused_with_it(words, advice):
    assert advice in failed("run", *words)


def test_every_choice_of_a_command_proposes_the_nearest():
    kinds = {
        type(param.type)
        for command in main.commands.values()
        for param in command.params
        if isinstance(param.type, click.Choice)
    }
    assert kinds == {command_group_choice()}


def command_group_choice():
    from pipeline.cli.choice_argument import Choice

    return Choice
