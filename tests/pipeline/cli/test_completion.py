"""Completion as bash calls it, and as zsh and fish do."""

import shutil
import subprocess
import sys

import pytest

from pipeline.config.config_file import presets
from tests.pipeline.command import REPOSITORY

PROGRAM = 'import sys; from pipeline.__main__ import main; sys.argv[0] = "cxr"; main()'
BASH = """
eval "$(_CXR_COMPLETE=bash_source ./cxr)"
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
compopt() { echo compopt "$@"; }
_cxr_completion ./cxr
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def folder(tmp_path):
    """A working directory with the program, a configuration and a run."""
    program = tmp_path / "cxr"
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{PROGRAM}' \"$@\"\n")
    program.chmod(0o755)
    (tmp_path / "mine.yaml").write_text("")
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "other.yaml").write_text("")
    for root, run in (("cxr-root", "20261130-0100"), ("elsewhere", "20261129-0200")):
        (tmp_path / root / "runs").mkdir(parents=True)
        (tmp_path / root / "runs" / f"{run}.json").write_text("{}")
    return tmp_path


def completed(folder, *words):
    """Completes the last word as bash does, which gives ``=`` as a word."""
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    done = subprocess.run(
        ["bash", "-c", BASH, "bash", *words],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split("\n")[:-1]


def test_configurations_are_presets_and_yaml_files(folder):
    found = completed(folder, "cxr", "run", "--config", "")
    assert set(presets()) <= set(found)
    assert {"mine.yaml", "more/"} <= set(found)
    assert "notes.txt" not in found
    assert completed(folder, "cxr", "run", "--config", "more/") == ["more/other.yaml"]


def test_keys_are_completed_level_by_level_without_a_blank(folder):
    assert completed(folder, "cxr", "run", "--set", "trai") == ["compopt -o nospace", "trainer."]
    found = completed(folder, "cxr", "run", "--set", "trainer.mo")
    assert set(found) == {"trainer.model=", "trainer.monitor="}


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("trainer.model", {"cnn", "compact", "transfer"}),
        ("trainer.augmentation.flip", {"true", "false"}),
        ("report.filenames", {"true", "false"}),
        ("trainer.epochs", {""}),
        ("trainer.absent", {""}),
    ],
)
def test_values_are_offered_where_they_can_be_counted(folder, key, values):
    assert set(completed(folder, "cxr", "run", "--set", key, "=", "")) == values


def test_a_value_that_was_begun_is_completed(folder):
    assert completed(folder, "cxr", "run", "--set", "trainer.model", "=", "co") == ["compact"]
    before = ("cxr", "run", "--set", "trainer.epochs", "=", "3")
    assert completed(folder, *before, "--set", "orchestrator", "=", "b") == ["beam"]


def test_run_ids_are_those_of_the_root(folder):
    assert completed(folder, "cxr", "runs", "") == ["last", "20261130-0100"]
    assert completed(folder, "cxr", "runs", "--root", "elsewhere", "2") == ["20261129-0200"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_use_the_same_protocol(folder, shell):
    def suggested(words, incomplete):
        variables = {
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(REPOSITORY),
            "_CXR_COMPLETE": f"{shell}_complete",
            "COMP_WORDS": f"{words} {incomplete}",
            "COMP_CWORD": incomplete if shell == "fish" else str(len(words.split())),
        }
        return subprocess.run(
            ["./cxr"], cwd=folder, env=variables, capture_output=True, text=True, check=True
        ).stdout

    assert "trainer.model=compact" in suggested("cxr run --set", "trainer.model=co")
    assert "kaggle" in suggested("cxr run --config", "kag")


def test_completion_imports_neither_tensorflow_nor_tfx(folder):
    code = (
        "import sys, click\n"
        "from pipeline.cli.main import main\n"
        "from pipeline.cli import completion\n"
        "context = click.Context(main)\n"
        "assert completion.overrides(context, None, 'trainer.model=')\n"
        "assert completion.configurations(context, None, 'k')\n"
        "print([name for name in ('tensorflow', 'tfx', 'keras') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
