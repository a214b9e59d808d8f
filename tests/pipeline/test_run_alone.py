"""What a run keeps of itself, and whom it lets in; the true runs are in test_run."""

import os
import re
from dataclasses import dataclass, field

import pytest

from components.errors import UserError
from pipeline import run as module
from pipeline.config_file import load
from pipeline.root import Root
from pipeline.root_lock import holder_pid, root_lock
from pipeline.run_record import load_all


@dataclass
class Run:
    """A run whose work a test chooses."""

    root: Root
    overrides: tuple[str, ...] = ()
    display: list[str] = field(default_factory=list)
    profile: bool = False

    def stop(self):
        self.display.append("stopped")

    def __call__(self):
        return module.run(
            load(None, self.overrides), self.root, "20260301-1", self, profile=self.profile
        )

    def records(self):
        return load_all(self.root.runs, holder_pid(self.root.path))


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "_run", lambda *_: None)
    return Run(Root.at(tmp_path / "root"))


def test_a_run_that_ends_well_is_kept_as_finished(run):
    record = run()
    assert run.records() == [record]
    assert (record.id, record.state, record.error) == ("20260301-1", "finished", "")
    assert run.display == ["stopped"]


def test_a_run_is_kept_from_its_first_moment_on(run, monkeypatch):
    monkeypatch.setattr(module, "_run", lambda *_: seen.extend(run.records()))
    seen = []
    run()
    assert [(each.state, each.pid) for each in seen] == [("running", os.getpid())]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (UserError("Trainer failed: no memory"), "Trainer failed: no memory"),
        (OSError(28, "No space left"), "OSError: [Errno 28] No space left"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
    ],
)
def test_a_run_that_fails_is_kept_with_the_reason(run, monkeypatch, error, told):
    def fail(*_):
        raise error

    monkeypatch.setattr(module, "_run", fail)
    with pytest.raises(type(error)):
        run()
    (record,) = run.records()
    assert (record.state, record.error) == ("failed", told)
    assert run.display == ["stopped"]


def test_a_second_run_on_the_root_leaves_no_record(run, monkeypatch):
    monkeypatch.setattr("pipeline.root_lock._PATIENCE_SECONDS", 0.1)
    with root_lock(run.root.path), pytest.raises(UserError, match="Another run holds"):
        run()
    assert run.records() == []


def test_the_root_is_free_afterwards(run):
    run()
    assert holder_pid(run.root.path) is None


def test_the_pictures_are_the_chosen_folder_or_those_of_the_root(run, tmp_path):
    assert run().images == str(tmp_path / "root" / "images")
    run.overrides = ("images=pictures",)
    assert run().images == str(tmp_path / "pictures")


def test_the_whole_configuration_is_kept(run):
    run.overrides = ("trainer.epochs=3",)
    assert run().config == load(None, ["trainer.epochs=3"]).model_dump(mode="json")


def test_a_profiled_run_is_drawn(run):
    run.profile = True
    record = run()
    assert record.timeline == str(run.root.timeline("20260301-1"))
    assert "Run 20260301-1: " in run.root.timeline("20260301-1").read_text()
    assert run.records() == [record]


def test_a_profiled_run_that_fails_is_drawn_too(run, monkeypatch):
    def fail(*_):
        raise UserError("no memory")

    run.profile = True
    monkeypatch.setattr(module, "_run", fail)
    with pytest.raises(UserError):
        run()
    assert run.root.timeline("20260301-1").is_file()


def test_another_run_is_not_drawn(run):
    assert run().timeline == ""
    assert not run.root.timeline("20260301-1").exists()


def test_runs_are_named_by_the_time():
    assert re.fullmatch(r"\d{8}-\d{6}", module.new_id())
