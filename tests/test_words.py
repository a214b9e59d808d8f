"""What users read is written in plain technical words."""

import click
import pytest

from pipeline.cli.main import main
from pipeline.config.config_fields import to_yaml
from pipeline.config.config_file import load
from tests.pipeline.command import REPOSITORY
from tests.words import messages, prose, replaced

PACKAGES = ("components", "pipeline", "serving", "trainer_module", "transform_module")
DOCUMENTS = [
    path.relative_to(REPOSITORY).as_posix()
    for path in (
        REPOSITORY / "README.md",
        *REPOSITORY.glob("[a-z]*/README.md"),
        *(REPOSITORY / "tests" / "benchmarks").glob("*.md"),
    )
]


@pytest.mark.parametrize("name", [None, *main.commands])
def test_the_help_has_no_house_words(name):
    with click.Context(main, info_name="cxr") as parent:
        command = main if name is None else main.commands[name]
        context = parent if name is None else click.Context(command, parent, name)
        assert replaced(command.get_help(context)) == []


def test_the_descriptions_of_the_configuration_have_no_house_words():
    shown = to_yaml(load(None, []))
    assert len(shown) > 10_000
    # The key `report.pictures`, as YAML shows it.
    shown = shown.replace("  pictures:", "")
    assert replaced(shown) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_the_messages_have_no_house_words(package):
    files = sorted((REPOSITORY / package).rglob("*.py"))
    assert files
    found = [
        f"{file.relative_to(REPOSITORY)}:{line}: {words}"
        for file in files
        for line, text in messages(file.read_text(encoding="utf-8"))
        if (words := replaced(text))
    ]
    assert found == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_documents_have_no_house_words(name):
    assert replaced(prose((REPOSITORY / name).read_text(encoding="utf-8"))) == []


def test_messages_are_read_without_docstrings_and_values():
    source = '''"""It is told."""
def f(told):
    """It stands."""
    raise UserError(f"It {told} goes " "well")
'''
    assert list(messages(source)) == [(4, "It {} goes well")]
