from contextlib import contextmanager

import pytest

from pipeline.run.component_progress import Finished
from pipeline.run_records.recorder import Recorder
from pipeline.run_records.run_record import load_all
from tests.pipeline import records


class Display:
    """Remembers its calls."""

    def __init__(self):
        self.calls = []

    @contextmanager
    def step(self, name):
        yield lambda done, total: self.calls.append(f"{name} {done}/{total}")

    def finished(self, component):
        self.calls.append(f"finished {component.name}")

    def failed(self, name):
        self.calls.append(f"failed {name}")


class Memory:
    def reset(self):
        pass

    def peak(self):
        return 100


@pytest.fixture
def clock(monkeypatch):
    """The time, which tests set."""
    clock = [1000.0]
    monkeypatch.setattr("pipeline.run_records.recorder.time.monotonic", lambda: clock[0])
    return clock


@pytest.fixture
def recorder(tmp_path, clock):
    record = records.run(state="running", components=[])
    return Recorder(record, tmp_path, Display(), Memory())


def test_the_record_is_saved_at_once_and_at_each_end(recorder, tmp_path):
    assert load_all(tmp_path, 1) == [recorder.record]
    with recorder.step("Convert images"):
        pass
    recorder.finished(Finished("Trainer", False, 1000.0, 1.0, 100))
    (saved,) = load_all(tmp_path, 1)
    assert [step.name for step in saved.steps] == ["Convert images"]
    assert [component.name for component in saved.components] == ["Trainer"]


def test_a_step_is_kept_with_its_start_and_cost_and_shown(recorder, clock):
    clock[0] = 1002.0
    with recorder.step("Convert images") as progress:
        progress(1, 2)
        clock[0] = 1005.0
    (step,) = recorder.record.steps
    assert (step.start, step.seconds, step.peak_memory) == (2.0, 3.0, 100)
    assert recorder.display.calls == ["Convert images 1/2"]
    assert recorder.seconds() == 5.0


def test_a_run_that_is_killed_shows_what_it_took_until_its_last_step(recorder, clock, tmp_path):
    clock[0] = 1007.0
    recorder.finished(Finished("Transform", False, 1003.0, 4.0, 100))
    (saved,) = load_all(tmp_path, None)
    assert (saved.state, saved.seconds) == ("killed", 7.0)


def test_a_step_that_fails_is_kept(recorder):
    with pytest.raises(OSError, match="full"), recorder.step("Convert images"):
        raise OSError("full")
    assert [step.name for step in recorder.record.steps] == ["Convert images"]


def test_components_are_kept_with_their_start_and_state_and_shown(recorder):
    recorder.finished(Finished("Transform", True, 1003.0, 0.5, 100))
    recorder.finished(Finished("Trainer", False, 1004.0, 8.0, 100))
    recorder.aborted(Finished("Evaluator", False, 1012.0, 1.0, 100), "interrupted")
    assert [(each.state, each.start) for each in recorder.record.components] == [
        ("cached", 3.0),
        ("finished", 4.0),
        ("interrupted", 12.0),
    ]
    assert recorder.display.calls == ["finished Transform", "finished Trainer", "failed Evaluator"]
