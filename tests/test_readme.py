"""The README's commands exist, with the options that it gives them."""

import re
import shlex

import click
import pytest

from pipeline.cli import main
from pipeline.config_file import load
from tests.pipeline.command import REPOSITORY

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
BLOCKS = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))
COMMANDS = re.findall(r"^cxr .*?(?=\s+#|$)", BLOCKS, re.MULTILINE)
TARGETS = re.findall(r"^make (\S+)", BLOCKS, re.MULTILINE)


def test_there_are_commands():
    assert len(COMMANDS) >= 8
    assert {"demo", "test"} <= set(TARGETS)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_parses(line):
    words = shlex.split(line.partition(" > ")[0])[1:]
    command = main.commands[words[0]]
    with click.Context(main) as parent:
        parsed = command.make_context(words[0], words[1:], parent=parent).params
    load(None, parsed.get("overrides", ()))


@pytest.mark.parametrize("target", TARGETS)
def test_a_make_target_exists(target):
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_local_links_lead_somewhere():
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (REPOSITORY / link).exists(), link
