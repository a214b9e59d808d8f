import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.environment import __main__ as program
from pipeline.environment import install, machine, stamp
from pipeline.environment.problem import SetUpError
from tests.pipeline.environment import machines

FOLDER = Path(program.__file__).parent


def check(*options, python=sys.executable):
    return subprocess.run(
        [python, *options, "-m", "pipeline.environment", "check"],
        cwd=program.CHECKOUT,
        capture_output=True,
        text=True,
        timeout=600,
    )


def test_the_preflight_prints_a_sentence_on_this_machine():
    done = check()
    if done.returncode:
        assert done.returncode == 1
        assert done.stderr.startswith("The environment cannot be made on this machine:\n\n* ")
    else:
        assert done.stdout == "Nothing is missing: `make demo`\n"


def test_the_preflight_needs_the_standard_library_alone():
    assert check("-S").returncode == check().returncode


def test_the_preflight_needs_nothing_that_windows_lacks():
    script = (
        "import sys; sys.modules['fcntl'] = None; sys.argv[1:] = ['check']\n"
        "from pipeline.environment.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=program.CHECKOUT, capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_an_old_python_can_read_the_modules(path):
    tree = ast.parse(path.read_text(), feature_version=(3, 7))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    has_annotations = any(
        isinstance(node, ast.AnnAssign | ast.arg | ast.FunctionDef) for node in ast.walk(tree)
    )
    assert not has_annotations or imports[0].module == "__future__"


def call(monkeypatch, facts, *arguments):
    monkeypatch.setattr(machine, "read_machine", lambda _: facts)
    monkeypatch.setattr(sys, "argv", ["environment", *arguments])
    return program.main()


@pytest.fixture
def checkout(monkeypatch, tmp_path):
    monkeypatch.setattr(program, "CHECKOUT", tmp_path)
    monkeypatch.setattr(program, "VENV", tmp_path / ".venv")
    (tmp_path / "requirements.lock").touch()
    (tmp_path / "setup.py").touch()
    return tmp_path


@pytest.mark.parametrize("arguments", [[], ["check"]])
def test_obstacles_are_listed_and_nothing_is_made(monkeypatch, capsys, checkout, arguments):
    facts = replace(machines.WINDOWS, free_bytes=0)
    assert call(monkeypatch, facts, *arguments) == 1
    message = capsys.readouterr()
    assert message.out == ""
    assert "* System: there are no wheels" in message.err
    assert "* Disk: 0.0 GB" in message.err
    assert not (checkout / ".venv").exists()


def test_a_check_makes_nothing(monkeypatch, capsys, checkout):
    assert call(monkeypatch, machines.DEBIAN_12, "check") == 0
    assert capsys.readouterr().out == "Nothing is missing: `make demo`\n"
    assert not (checkout / ".venv").exists()


def test_a_check_says_that_a_python_would_be_fetched(monkeypatch, capsys, checkout):
    assert call(monkeypatch, replace(machines.DEBIAN_12, python=(3, 14)), "check") == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Python: this is cpython 3.14; ")
    assert "fetch uv's own Python" in printed


def test_a_failed_step_is_reported_without_a_traceback(monkeypatch, capsys, checkout):
    def fail(*_):
        raise SetUpError("Unpacking failed.")

    monkeypatch.setattr(install, "install", fail)
    assert call(monkeypatch, machines.DEBIAN_12) == 1
    assert capsys.readouterr().err == "\nUnpacking failed.\nThe next call begins anew.\n"


def test_a_finished_environment_is_left_alone_whatever_the_machine_lacks(
    monkeypatch, capsys, checkout
):
    (checkout / ".venv").mkdir()
    stamp.mark_ready(checkout / ".venv", checkout)
    monkeypatch.setattr(install, "install", lambda *_: pytest.fail("made again"))
    assert call(monkeypatch, replace(machines.DEBIAN_12, has_avx=False)) == 0
    assert capsys.readouterr().out == ""
