"""One thing has one name in every command."""

import click
import pytest

from pipeline.cli.main import main
from pipeline.cli.path_argument import LocalPath

COMMANDS = sorted(main.commands.items())
FORMER = {"--pictures", "--data", "--output", "--dir", "--paths"}


def options(command):
    return [each for each in command.params if isinstance(each, click.Option)]


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_images_are_called_so(name, command):
    named = {spelling for each in options(command) for spelling in each.opts}
    assert not named & FORMER
    arguments = {
        each.human_readable_name for each in command.params if isinstance(each, click.Argument)
    }
    assert not any("PATHS" in each or "DATA" in each for each in arguments)
    for option in options(command):
        if option.opts == ["--images"]:
            assert isinstance(option.type, LocalPath)
            assert option.metavar == "FOLDER"


@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_a_path_says_whether_it_is_a_file_or_a_folder(name, command):
    for option in options(command):
        if isinstance(option.type, click.Path):
            assert option.metavar in {"FILE", "FOLDER", "MODEL"}, option.opts


def test_an_option_of_one_name_takes_one_kind_of_value():
    kinds = {}
    for name, command in COMMANDS:
        for option in options(command):
            if option.opts[0] in {"--images", "--json", "--config", "--set", "--out", "--version"}:
                # A path is one, also where some commands take it in a store.
                is_path = isinstance(option.type, click.Path)
                kind = (click.Path if is_path else type(option.type), option.is_flag)
                kinds.setdefault(option.opts[0], {}).setdefault(kind, []).append(name)
    assert all(len(found) == 1 for found in kinds.values()), kinds
