"""Commands that write into a folder of another user, run without a superuser's rights."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from pipeline.run_records import run_record
from serving.versions.push import push
from tests.components.convert.folders import fill, hospital
from tests.pipeline.command import REPOSITORY
from tests.pipeline.records import run

pytestmark = pytest.mark.e2e

# The superuser may write everywhere, unless he gives that up.
_AS_ANYBODY = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()


@pytest.fixture
def place(tmp_path):
    """A root with a run and a pushed model, into which nobody may write."""
    if _AS_ANYBODY and not shutil.which(_AS_ANYBODY[0]):
        pytest.skip("there is no setpriv on this machine")
    root = tmp_path / "root"
    run_record.save(run(), root / "runs")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "saved_model.pb").write_bytes(b"graph")
    push(tmp_path / "model", root / "pushed" / "cxr", {})
    fill(tmp_path / "images", hospital(2))
    folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
    for file in (path for path in root.rglob("*") if path.is_file()):
        file.chmod(0o444)
    for folder in folders:
        folder.chmod(0o555)
    yield tmp_path
    for folder in folders:
        folder.chmod(0o755)


@pytest.mark.parametrize(
    "arguments",
    [
        ("rollback", "root/pushed/cxr"),
        ("synth", "root/drawn", "--count", "60"),
        ("clean", "--root", "root"),
        ("convert", "images", "root/converted"),
        pytest.param(("run", "--root", "root"), marks=pytest.mark.slow),
        pytest.param(("run", "--root", "root/new"), marks=pytest.mark.slow),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_a_place_of_another_user_is_reported_in_a_sentence(place, arguments):
    done = subprocess.run(
        [*_AS_ANYBODY, sys.executable, "-m", "pipeline", *arguments],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    (said,) = [each for each in done.stderr.splitlines() if each.startswith("Error: ")]
    assert re.search(r"root\S*: it may not be read or written by you; change its owner", said)
    assert "Errno" not in said
    assert "Traceback" not in done.stderr
