import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from serving.process.scratch import of_user, scratch
from transform_module.errors import UserError

KILLED = """
import os, signal, sys, tempfile
from pathlib import Path
from serving.process.scratch import scratch
with scratch(Path(sys.argv[1])):
    Path(tempfile.mkdtemp(prefix="report-"), "0").write_bytes(b"a patient's image")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """The folder of temporary files of the machine."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


def test_temporary_files_of_python_children_and_libraries_are_made_in_it(tmp_path):
    with scratch(tmp_path / "base") as folder:
        assert Path(tempfile.mkdtemp()).parent == folder
        message = subprocess.run(
            [sys.executable, "-c", "import tempfile; print(tempfile.gettempdir())"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert Path(message.stdout.strip()) == folder == Path(os.environ["TMPDIR"])
        assert folder.stat().st_mode & 0o077 == 0


def test_it_is_gone_at_the_end_and_all_is_as_before(tmp_path, temporary):
    with pytest.raises(ZeroDivisionError), scratch(tmp_path / "base") as folder:
        (folder / str(1 / 0)).touch()
    assert list((tmp_path / "base").iterdir()) == []
    assert os.environ["TMPDIR"] == tempfile.gettempdir() == str(temporary)


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path):
    killed = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "base"], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert list((tmp_path / "base").rglob("report-*/0"))
    with scratch(tmp_path / "base") as folder:
        assert list((tmp_path / "base").iterdir()) == [folder]


def test_what_a_living_process_has_is_left_to_it(tmp_path):
    with scratch(tmp_path / "base") as first:
        (first / "file").touch()
        with scratch(tmp_path / "base"):
            assert (first / "file").exists()


def test_a_link_in_it_leads_no_removal_elsewhere(tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "link").symlink_to(tmp_path / "precious")
    with scratch(tmp_path / "base"):
        pass
    assert (tmp_path / "precious" / "file").exists()
    assert list((tmp_path / "base").iterdir()) == []


def test_the_users_folder_is_private_and_the_same_for_all_commands(temporary):
    folder = of_user()
    folder.chmod(0o755)
    assert of_user() == folder
    assert folder.parent == temporary
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_another_user_made_is_refused(tmp_path, temporary, monkeypatch):
    of_user().rmdir()
    (tmp_path / "theirs").mkdir()
    (temporary / f"cxr-{os.getuid()}").symlink_to(tmp_path / "theirs")
    with pytest.raises(UserError, match="Remove it, or set TMPDIR"):
        of_user()
