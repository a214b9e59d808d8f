import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from serving.files.staging import locked, publish, staged
from tests.components.convert.folders import fill
from transform_module.errors import UserError

FORMER, NEW = {"a": b"former", "sub/b": b"1"}, {"a": b"new"}


def held(out):
    return {
        str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()
    }


@pytest.fixture(params=[FORMER, {}], ids=["former", "nothing"])
def out(request, tmp_path):
    if request.param:
        fill(tmp_path / "deep/out", request.param)
    return tmp_path / "deep/out"


def write_new(out):
    with staged(out) as new:
        publish(fill(new, NEW), out)


def test_what_is_published_is_alone(out):
    write_new(out)
    assert held(out) == NEW
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_what_is_not_published_is_gone(out):
    before = held(out)
    with staged(out) as new:
        fill(new, NEW)
    assert held(out) == before
    assert list(out.parent.glob(".*")) == []


def test_a_failure_leaves_the_former_output(out):
    before = held(out)
    with contextlib.suppress(RuntimeError), staged(out) as new:
        fill(new, NEW)
        raise RuntimeError
    assert held(out) == before
    assert list(out.parent.glob(".*")) == []


def test_a_failure_while_publishing_leaves_the_former_output(out):
    before = held(out)
    with contextlib.suppress(FileNotFoundError), staged(out) as new:
        new.rmdir()
        publish(new, out)
    assert held(out) == before


def test_the_former_output_returns_after_a_kill_between_the_renames(tmp_path):
    fill(tmp_path / ".out.partial", {"former/a": b"former", "new/a": b"new", "facts/x": b"1"})
    with staged(tmp_path / "out") as new:
        assert held(tmp_path / "out") == {"a": b"former"}
        assert list(new.iterdir()) == []


def test_the_new_output_stays_after_a_kill_behind_the_renames(tmp_path):
    fill(tmp_path, {".out.partial/former/a": b"former", "out/a": b"new"})
    with staged(tmp_path / "out"):
        assert held(tmp_path / "out") == {"a": b"new"}


def test_whatever_a_killed_process_left_is_swept(out):
    fill(out.parent / ".out.partial", {"new/a": b"half", "facts-00000.jsonl": b"{}"})
    write_new(out)
    assert held(out) == NEW
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_a_second_writer_is_reported_and_disturbs_nothing(out):
    with staged(out) as new:
        with (
            pytest.raises(UserError, match=r"Another process is writing .* right now"),
            staged(out),
        ):
            pass
        publish(fill(new, NEW), out)
    assert held(out) == NEW


def test_other_folders_beside_are_free(tmp_path):
    with staged(tmp_path / "one"), staged(tmp_path / "two") as new:
        assert new.is_dir()


def test_the_lock_goes_with_a_killed_process(out):
    script = (
        "import sys; from pathlib import Path; from serving.files.staging import staged\n"
        "with staged(Path(sys.argv[1])): print('locked', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(out)],
        cwd=Path(__file__).resolve().parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"locked\n"
    with pytest.raises(UserError, match="Another process"), staged(out):
        pass
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    write_new(out)
    assert held(out) == NEW


def test_who_holds_a_lock_may_remove_its_folder(tmp_path):
    for _ in range(2):
        with locked(tmp_path / "work", tmp_path / "out"):
            (tmp_path / "work").rmdir()
    assert list(tmp_path.iterdir()) == []
