import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.command import REPOSITORY

BODY = """
import logging, os, subprocess, sys
from pathlib import Path
from pipeline.run_records.run_log import redirected_to, silenced

def speak(word):
    print(f"print {word}")
    print(f"error {word}", file=sys.stderr)
    os.write(1, f"c++ {word}\\n".encode())
    os.write(2, f"c++ error {word}\\n".encode())
    os.system(f"echo child {word}")
    logging.getLogger("room").warning("log %s", word)

log = Path(sys.argv[1])
"""
WORDS = ("print", "error", "c++", "c++ error", "child")


def run(tmp_path, script):
    """Runs a script in a process of its own; its output and what its log holds."""
    log = tmp_path / "logs" / "run.log"
    done = subprocess.run(
        [sys.executable, "-c", BODY + script, str(log)],
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        capture_output=True,
        text=True,
    )
    return done, log.read_text() if log.exists() else ""


def test_all_output_goes_to_the_log_and_none_to_the_terminal(tmp_path):
    done, log = run(tmp_path, "with redirected_to(log): speak('inside')")
    assert done.stdout + done.stderr == ""
    assert [word for word in WORDS if f"{word} inside\n" not in log] == []


def test_what_is_logged_is_there_with_time_level_and_name(tmp_path):
    _, log = run(tmp_path, "with redirected_to(log): speak('inside')")
    (line,) = [line for line in log.splitlines() if "log inside" in line]
    assert line.endswith(" W room: log inside")


@pytest.mark.parametrize(
    "script",
    [
        "with redirected_to(log): pass",
        "try:\n  with redirected_to(log): raise ValueError\nexcept ValueError: pass",
        "with redirected_to(log):\n  with redirected_to(log): pass",
        "with silenced(): pass",
    ],
)
def test_output_is_back_afterwards(tmp_path, script):
    done, log = run(tmp_path, f"{script}\nspeak('after')")
    for word, output in zip(
        WORDS, [done.stdout, done.stderr, done.stdout, done.stderr, done.stdout], strict=True
    ):
        assert f"{word} after\n" in output
    assert "log after\n" in done.stderr
    assert "Logging error" not in done.stderr
    assert "after" not in log


def test_the_terminal_can_be_written_to_meanwhile(tmp_path):
    script = "with redirected_to(log) as terminal: speak('inside'); print('seen', file=terminal)"
    done, log = run(tmp_path, script)
    assert (done.stdout, done.stderr) == ("", "seen\n")
    assert "seen" not in log


def test_what_was_printed_before_does_not_land_in_the_log(tmp_path):
    done, log = run(tmp_path, "print('before')\nwith redirected_to(log): pass")
    assert done.stdout == "before\n"
    assert log == ""


def test_a_log_is_continued(tmp_path):
    _, log = run(tmp_path, "for word in 'ab':\n  with redirected_to(log): print(word)")
    assert log == "a\nb\n"


def test_a_process_that_dies_leaves_what_it_said(tmp_path):
    script = "with redirected_to(log): os.write(1, b'last words\\n'); os.abort()"
    done, log = run(tmp_path, script)
    assert done.returncode < 0
    assert log == "last words\n"


def test_silence_drops_everything_but_what_is_for_the_terminal(tmp_path):
    script = "with silenced() as terminal: speak('inside'); print('seen', file=terminal)"
    done, _ = run(tmp_path, script)
    assert (done.stdout, done.stderr) == ("", "seen\n")


def test_no_descriptor_is_left_open(tmp_path):
    script = """
def opened(): return len(os.listdir("/dev/fd"))
before = opened()
for _ in range(3):
    with redirected_to(log): pass
print(opened() - before)
"""
    done, _ = run(tmp_path, script)
    assert done.stdout == "0\n"


def test_what_is_wrong_with_a_models_versions_is_still_said(tmp_path):
    said = "logging.getLogger('serving.model').warning('passed over')"
    done, _ = run(tmp_path, f"with silenced(): speak('inside'); {said}\n{said}")
    assert done.stdout == ""
    # The second is logged where nothing is silenced.
    assert done.stderr == "passed over\npassed over\n"


FULL = """
import logging, sys
from pathlib import Path
from pipeline.run_records.run_log import redirected_to
try:
    with redirected_to(Path("/dev/full")):
        sys.stdout.write("This takes no place any more.")
        logging.getLogger("tfx").warning("Nor does this.")
        1 / 0
except ZeroDivisionError:
    print("for people", file=sys.stderr)
"""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is full")
def test_a_full_disk_hides_no_other_error():
    done = subprocess.run(
        [sys.executable, "-c", FULL],
        cwd=REPOSITORY,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "for people\n")


def test_a_record_that_anything_quotes_is_not_kept(tmp_path):
    said = f"cannot read {bytes([10, 255])!r} of {b'Jane-Doe.jpeg'!r}"
    _, log = run(
        tmp_path,
        f"with redirected_to(log):\n  os.write(2, {said!r}.encode())\n"
        f"  logging.getLogger('room').warning({said!r})",
    )
    assert "Jane-Doe" not in log
    assert log.count("cannot read b'…' of b'…'") == 2
