"""What users read is written in plain technical words."""

import click
import pytest

from pipeline.cli.main import main
from pipeline.config.config_fields import to_yaml
from pipeline.config.config_file import load
from tests.pipeline.command import REPOSITORY
from tests.words import definitions, descriptions, messages, prose, replaced

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


@pytest.mark.parametrize("read", [messages, descriptions, definitions])
@pytest.mark.parametrize("package", PACKAGES)
def test_the_code_has_no_house_words(package, read):
    files = sorted((REPOSITORY / package).rglob("*.py"))
    assert files
    found = [
        f"{file.relative_to(REPOSITORY)}:{line}: {words}"
        for file in files
        for line, text in read(file.read_text(encoding="utf-8"))
        if (words := replaced(text))
    ]
    assert found == []


@pytest.mark.parametrize("package", PACKAGES)
def test_the_modules_have_no_house_words(package):
    paths = (REPOSITORY / package).rglob("*.py")
    names = {path.stem.replace("_", " ") for path in paths}
    assert [name for name in names if replaced(name)] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_documents_have_no_house_words(name):
    assert replaced(prose((REPOSITORY / name).read_text(encoding="utf-8"))) == []


def test_docstrings_comments_and_names_are_read():
    source = '''"""It is told."""  # It stands.
class ToldTwice:
    async def ask(self, the_answer): ...
'''
    assert list(descriptions(source)) == [(1, "It is told."), (1, "# It stands.")]
    names = [name for _, name in definitions(source)]
    assert names == ["Told Twice", "ask", "self", "the answer"]


def test_messages_are_read_without_docstrings_and_values():
    source = '''"""It is told."""
def f(told):
    """It stands."""
    raise UserError(f"It {told} goes " "well")
'''
    assert list(messages(source)) == [(4, "It {} goes well")]
