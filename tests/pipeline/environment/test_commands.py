import sys

import pytest

from pipeline.environment.commands import run
from pipeline.environment.problem import SetUpError


def python(script):
    return [sys.executable, "-c", script]


def test_returns_what_the_program_printed(tmp_path):
    script = "import os; print(os.environ['WORD'], os.getcwd())"
    said = run(python(script), "Asking", variables={"WORD": "hello"}, folder=tmp_path)
    assert said == f"hello {tmp_path.resolve()}\n"


def test_a_failure_ends_with_the_programs_last_lines():
    script = "import sys; [print('line', n) for n in range(20)]; sys.exit('the reason')"
    with pytest.raises(SetUpError, match=r"^Unpacking failed \(exit code 1\)") as caught:
        run(python(script), "Unpacking")
    assert len(str(caught.value).splitlines()) == 13
    assert str(caught.value).splitlines()[-1] == "  | the reason"
    assert "line 0" not in str(caught.value)


def test_a_failure_without_a_word_is_reported_too():
    with pytest.raises(SetUpError, match=r"^Unpacking failed \(exit code 3\)\.$"):
        run(python("raise SystemExit(3)"), "Unpacking")


def test_a_program_that_is_shown_fails_in_words_too(capfd):
    with pytest.raises(SetUpError, match=r"^Unpacking failed \(exit code 1\)\.$"):
        run(python("raise SystemExit('seen')"), "Unpacking", shown=True)
    assert "seen" in capfd.readouterr().err


def test_a_missing_program_is_named():
    with pytest.raises(SetUpError, match=r"^Reading failed: no-such-program cannot be started"):
        run(["no-such-program", "update"], "Reading")
