import contextlib
import json
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from pipeline.cli.output import cells
from pipeline.root.root import Root
from pipeline.run_records import tensorboard
from tests.pipeline import records
from tests.ports import reserved

PROGRAM = Path(sys.executable).with_name("tensorboard")


@pytest.fixture
def root(tmp_path):
    return Root(tmp_path / "a root")


def trained(root, number, identity):
    """A run whose Trainer left logs under its number."""
    logs = root.artifacts / "Trainer" / "model_run" / str(number)
    logs.mkdir(parents=True, exist_ok=True)
    component = records.component(outputs={"model_run": [str(logs)]})
    return records.run(identity, components=[component])


def test_the_logs_are_found_under_the_runs_id(root):
    record = trained(root, 7, "20260301-120000")
    (root.artifacts / "Trainer/model_run/7/events").touch()
    tensorboard.link(root, record)
    assert (root.tensorboard / "20260301-120000" / "events").is_file()


def test_a_run_from_the_cache_has_the_logs_too(root):
    for identity in ("20260301-120000", "20260302-120000"):
        tensorboard.link(root, trained(root, 7, identity))
    assert len(list(root.tensorboard.iterdir())) == 2


def test_the_links_follow_a_root_that_is_moved(root, tmp_path):
    tensorboard.link(root, trained(root, 7, "20260301-120000"))
    (root.artifacts / "Trainer/model_run/7/events").touch()
    shutil.move(root.path, tmp_path / "moved")
    assert (tmp_path / "moved/tensorboard/20260301-120000/events").is_file()


def test_the_logs_of_a_root_that_was_moved_are_found(root, tmp_path):
    record = trained(root, 7, "20260301-120000")
    shutil.move(root.path, tmp_path / "moved")
    moved = Root(tmp_path / "moved")
    tensorboard.link(moved, record)
    assert (moved.tensorboard / "20260301-120000").is_dir()


def test_a_link_that_is_there_is_made_anew(root):
    for number in (7, 8):
        tensorboard.link(root, trained(root, number, "20260301-120000"))
    assert (root.tensorboard / "20260301-120000").resolve().name == "8"


@pytest.mark.parametrize("components", [[], [records.component()]])
def test_a_run_without_a_training_has_no_link(root, components):
    tensorboard.link(root, records.run(components=components))
    assert not root.tensorboard.exists()


def test_a_file_system_without_links_costs_no_run(root, monkeypatch):
    def refuse(*_, **__):
        raise OSError(1, "Operation not permitted")

    record = trained(root, 7, "20260301-120000")
    monkeypatch.setattr(Path, "symlink_to", refuse)
    tensorboard.link(root, record)
    monkeypatch.setattr(cells.shutil, "which", lambda name: f"/bin/{name}")
    shown = shlex.split(tensorboard.command(root, record))
    assert shown[-1] == str(root.artifacts / "Trainer/model_run/7")


def test_the_program_is_named_by_its_path_where_no_folder_of_path_holds_it(root, monkeypatch):
    tensorboard.link(root, trained(root, 7, "20260301-120000"))
    monkeypatch.setattr(cells.shutil, "which", lambda name: None)
    program, *words = shlex.split(tensorboard.command(root))
    assert Path(program).resolve() == PROGRAM.resolve()
    assert words == ["--logdir", str(root.tensorboard)]
    assert PROGRAM.is_file()


@pytest.mark.slow
def test_tensorboard_names_the_runs_by_their_ids(root):
    import tensorflow as tf

    for number, identity in ((7, "20260301-120000"), (18, "20260302-120000-2")):
        record = trained(root, number, identity)
        logs = record.components[0].outputs["model_run"][0]
        with tf.summary.create_file_writer(logs).as_default(step=0):
            tf.summary.scalar("loss", 0.5)
        tensorboard.link(root, record)
    with reserved(1) as (port,):
        pass
    words = [*shlex.split(tensorboard.command(root)), "--port", str(port), "--host", "127.0.0.1"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        found = shown_by(process, f"http://127.0.0.1:{port}/data/runs")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    assert found == ["20260301-120000", "20260302-120000-2"]


def shown_by(process, url):
    """The runs that TensorBoard shows, once it has found all."""
    deadline, found = time.monotonic() + 200, []
    while len(found) < 2 and time.monotonic() < deadline:
        assert process.poll() is None, "tensorboard ended"
        time.sleep(0.5)
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=20) as response:
            found = json.load(response)
    return sorted(found)
