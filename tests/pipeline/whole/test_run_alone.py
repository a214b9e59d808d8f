"""What a run keeps of itself, and whom it lets in; the true runs are in test_run."""

import contextlib
import os
import re
import signal
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipeline.config.config_file import load
from pipeline.root.root import Root
from pipeline.root.root_lock import holder_pid, root_lock
from pipeline.run import component_progress
from pipeline.run import whole_run as module
from pipeline.run.preflight import data_counts
from pipeline.run_records.run_record import PushRecord, load_all, save
from serving.process import interrupts
from tests.pipeline import records
from transform_module.errors import UserError


@dataclass
class Run:
    """A run whose work a test chooses."""

    root: Root
    overrides: tuple[str, ...] = ()
    display: list[str] = field(default_factory=list)
    profile: bool = False

    def stop(self):
        self.display.append("stopped")

    def line(self, text):
        self.display.append(text)

    def log(self, path):
        assert path == self.root.log("20260301-1")

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


def test_a_run_whose_model_is_not_pushed_is_kept_as_refused(run, monkeypatch):
    def refuse(config, root, images, recorder, profile):
        recorder.record.push = PushRecord(pushed=False, reason="its model_blessing says no")

    monkeypatch.setattr(module, "_run", refuse)
    assert run().state == "refused"
    assert [record.state for record in run.records()] == ["refused"]


def test_a_run_is_kept_from_its_first_moment_on(run, monkeypatch):
    monkeypatch.setattr(module, "_run", lambda *_: seen.extend(run.records()))
    seen = []
    run()
    assert [(each.state, each.pid) for each in seen] == [("running", os.getpid())]


def fail_by(monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(module, "_run", fail)


def test_a_run_that_fails_is_kept_with_the_reason(run, monkeypatch):
    fail_by(monkeypatch, UserError("Trainer failed: no memory"))
    with pytest.raises(UserError, match=r"^Trainer failed: no memory$"):
        run()
    (record,) = run.records()
    assert (record.state, record.error) == ("failed", "Trainer failed: no memory")
    assert run.display == ["stopped"]


def test_a_full_disk_is_the_reason_even_where_the_record_cannot_be_written_any_more(
    run, monkeypatch
):
    def fail(*_):
        monkeypatch.setattr(module.run_record, "save", fail)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_run", fail)
    with pytest.raises(UserError, match=rf"^{run.root.path}: there is no space left on its disk; "):
        run()
    assert [record.state for record in run.records()] == ["killed"]


def swallowing(*_):
    with contextlib.suppress(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def turning_it_into_another_error(*_):
    swallowing()
    raise RuntimeError("KeyboardInterrupt")


@pytest.mark.parametrize("work", [swallowing, turning_it_into_another_error])
def test_a_run_that_got_a_signal_is_kept_as_interrupted_whatever_its_work_makes_of_it(
    run, monkeypatch, work
):
    monkeypatch.setattr(module, "_run", work)
    with interrupts.listening(), pytest.raises((KeyboardInterrupt, RuntimeError)):
        run()
    (record,) = run.records()
    assert (record.state, record.error) == ("interrupted", "A signal stopped it.")
    assert run.display == ["stopped"]


def test_the_record_of_a_run_that_is_being_written_is_written_whole(run, monkeypatch):
    save = module.run_record.save

    def interrupted(record, folder):
        if record.state == "finished":
            os.kill(os.getpid(), signal.SIGTERM)
        save(record, folder)

    monkeypatch.setattr(module.run_record, "save", interrupted)
    with interrupts.listening():
        run()
        assert interrupts.received()
    assert [record.state for record in run.records()] == ["finished"]


def test_temporary_files_of_a_run_are_under_its_root_and_gone_at_its_end(run, monkeypatch):
    left = run.root.temporary / "17-killed" / "report-1"
    left.mkdir(parents=True)
    made = []
    monkeypatch.setattr(module, "_run", lambda *_: made.append(Path(tempfile.mkdtemp())))
    run()
    assert run.root.temporary in made[0].parents
    assert list(run.root.temporary.iterdir()) == []


def test_a_second_run_on_the_root_leaves_no_record(run, monkeypatch):
    monkeypatch.setattr("pipeline.root.root_lock._PATIENCE_SECONDS", 0.1)
    with root_lock(run.root.path), pytest.raises(UserError, match="Another run holds"):
        run()
    assert run.records() == []


def test_the_root_is_free_afterwards(run):
    run()
    assert holder_pid(run.root.path) is None


def test_the_images_are_the_chosen_folder_or_those_of_the_root(run, tmp_path):
    assert run().images == str(tmp_path / "root" / "images")
    run.overrides = ("images=images",)
    assert run().images == str(tmp_path / "images")


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


def test_runs_are_named_by_the_time_and_never_two_alike(run):
    name = module.new_id(run.root)
    assert re.fullmatch(r"\d{8}-\d{6}", name)
    for _ in range(3):
        save(records.run(module.new_id(run.root)), run.root.runs)
    names = [record.id for record in run.records()]
    assert len(set(names)) == 3
    assert names == sorted(names)


def test_what_is_known_of_the_images_is_said_once(tmp_path, monkeypatch):
    from components.convert import convert
    from tests.images import encode, grey_pixels

    for index in range(12):
        for label in ("NORMAL", "PNEUMONIA"):
            path = tmp_path / "images" / label / f"person{index}_{label}_{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = grey_pixels(90, 80, seed=2 * index + (label == "NORMAL"))
            path.write_bytes(encode(pixels, "png-grey"))
    said = []
    settings = load().dataset
    with component_progress.warnings_to(said.append):
        made = convert.convert(tmp_path / "images", tmp_path / "out", settings=settings, seed=7)
    assert said == []
    assert sum("Patients known for" in line for line in data_counts.lines(made, tmp_path)) == 1
