"""A run as Python calls it; a true one is in test_readme_python."""

import os

import pytest

from pipeline.config.config_file import load
from pipeline.root.root import Root
from pipeline.run.execute import execute
from tests.pipeline import records
from transform_module.errors import UserError


@pytest.fixture
def called(monkeypatch):
    """What the run was called with; it makes nothing."""
    calls = []

    def run(config, root, run_id, display, **options):
        calls.append((config, root, options))
        os.write(1, b"said by a library")
        return records.run()

    monkeypatch.setattr("pipeline.run.whole_run.run", run)
    return calls


def test_the_record_is_returned_and_the_root_may_be_text(called, tmp_path):
    config = load("demo")
    record = execute(config, str(tmp_path / "root"), source="demo", profile=True)
    assert record == records.run()
    assert called == [(config, Root.at(tmp_path / "root"), {"preset": "demo", "profile": True})]


@pytest.mark.usefixtures("called")
def test_its_output_goes_to_the_log(tmp_path):
    execute(load("demo"), tmp_path)
    (log,) = (tmp_path / "logs").iterdir()
    assert log.read_text() == "said by a library"


def test_paths_are_checked_before_anything_is_made(called, tmp_path):
    with pytest.raises(UserError, match="nowhere"):
        execute(load("fast", [f"images={tmp_path / 'nowhere'}"]), tmp_path / "root")
    assert called == []
    assert not (tmp_path / "root").exists()
