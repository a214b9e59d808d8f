import contextlib
import errno
import os
import signal
import tempfile
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pipeline.cli.command import for_people, when_interrupted
from transform_module.errors import UserError


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def called(work, message=""):
    """The exit code and what is said of a command that does some work."""
    command = for_people(when_interrupted(message)(work) if message else work)
    result = CliRunner().invoke(click.command()(command))
    return result.exit_code, result.stderr


def interrupted(number=signal.SIGINT):
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGINT, 130, "Interrupted."),
        (signal.SIGTERM, 143, "Stopped by SIGTERM."),
        (signal.SIGHUP, 129, "Stopped by SIGHUP."),
    ],
)
def test_a_signal_ends_a_command_in_one_sentence_with_its_code(number, code, said):
    assert called(lambda: interrupted(number)) == (code, f"{said}\n")


def test_what_becomes_of_the_work_is_said():
    assert called(interrupted, "It goes on.") == (130, "Interrupted. It goes on.\n")


def turned_into_another_error():
    try:
        interrupted()
    except KeyboardInterrupt as error:
        raise RuntimeError("KeyboardInterrupt") from error


def turned_into_a_mistake():
    try:
        interrupted()
    except KeyboardInterrupt as error:
        raise UserError("Trainer failed: KeyboardInterrupt") from error


def swallowed():
    with contextlib.suppress(KeyboardInterrupt):
        interrupted()


def turned_into_an_exit():
    swallowed()
    raise SystemExit(3)


@pytest.mark.parametrize(
    "work", [turned_into_another_error, turned_into_a_mistake, swallowed, turned_into_an_exit]
)
def test_a_signal_decides_whatever_the_work_makes_of_it(work):
    assert called(work) == (130, "Interrupted.\n")
    assert called(work, "It goes on.") == (130, "Interrupted. It goes on.\n")


def test_an_interrupt_without_a_signal_is_one():
    def work():
        raise KeyboardInterrupt

    assert called(work, "It goes on.") == (130, "Interrupted. It goes on.\n")


def test_a_mistake_is_reported_and_a_fault_of_ours_is_not_hidden():
    def mistake():
        raise UserError("No such folder.")

    def fault():
        raise ValueError("ours")

    assert called(mistake) == (1, "Error: No such folder.\n")
    with pytest.raises(ValueError, match="ours"):
        for_people(fault)()


def test_an_error_that_is_reported_already_keeps_its_words_and_its_code():
    def work():
        try:
            raise OSError(errno.ENOSPC, "No space left on device", "/disk/file")
        except OSError as error:
            raise click.UsageError("Choose one.") from error

    code, said = called(work)
    assert code == 2
    assert said.endswith("Error: Choose one.\n")


def test_what_the_system_refuses_is_reported_with_its_file():
    def work():
        raise OSError(errno.ENOSPC, "No space left on device", "/disk/file")

    code, said = called(work)
    assert code == 1
    assert said.startswith("Error: /disk/file: there is no space left on its disk; ")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("end", [lambda: None, interrupted, turned_into_a_mistake])
def test_temporary_files_are_private_and_gone_at_the_end(temporary, end):
    seen = []

    def work():
        seen.append(Path(tempfile.mkdtemp()))
        (seen[0] / "image").touch()
        assert seen[0].parent.stat().st_mode & 0o077 == 0
        end()

    called(work)
    assert temporary in seen[0].parents
    assert [path for path in temporary.rglob("*") if not path.is_dir()] == []
    assert not seen[0].exists()


def test_a_command_runs_where_no_temporary_file_can_be_made(monkeypatch):
    def refuse():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", refuse)
    assert called(lambda: None) == (0, "")
