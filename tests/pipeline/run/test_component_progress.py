import logging
import re
from pathlib import Path

import pytest
import tfx
from absl import logging as tfx_logging

from pipeline.run.component_progress import _SECONDS, ComponentProgress, Finished, watching
from pipeline.run.memory import PeakMemory
from tests.pipeline.command import REPOSITORY


class Memory(PeakMemory):
    """Stands for the measurement: 100 bytes a component."""

    resets = 0

    def reset(self):
        self.resets += 1

    def peak(self):
        return 100 * self.resets


@pytest.fixture
def events(monkeypatch):
    monkeypatch.setattr(logging.getLogger(), "level", logging.INFO)
    return []


@pytest.fixture
def progress(events):
    return ComponentProgress(
        Memory(),
        on_start=lambda name: events.append(f"start {name}"),
        on_finish=lambda end: events.append(
            f"end {end.name}{' cached' * end.cached} {end.peak_memory}"
        ),
    )


def run_locally(name, *lines):
    tfx_logging.info("Component %s is running.", name)
    for line in lines:
        tfx_logging.info(line)
    tfx_logging.info("Component %s is finished.", name)


def test_components_are_reported_as_they_start_and_end(events, progress):
    with watching(progress, events.append):
        run_locally("StatisticsGen", "some other line")
        run_locally("SchemaGen")
    assert events == [
        "start StatisticsGen",
        "end StatisticsGen 100",
        "start SchemaGen",
        "end SchemaGen 200",
    ]


def test_the_beam_orchestrators_lines_are_understood(events, progress):
    with watching(progress, events.append):
        tfx_logging.info("node %s is running.", "Trainer")
        tfx_logging.info("node %s is finished.", "Trainer")
    assert events == ["start Trainer", "end Trainer 100"]


def test_a_cached_component_is_reported_as_such_and_the_next_is_not(events, progress):
    with watching(progress, events.append):
        run_locally("Transform", "A cached execution 17 is used.")
        run_locally("Trainer")
    assert [event for event in events if event.startswith("end")] == [
        "end Transform cached 100",
        "end Trainer 200",
    ]


def test_the_time_is_from_start_to_end(monkeypatch):
    clock = iter([10.0, 12.5])
    monkeypatch.setattr("pipeline.run.component_progress.time.monotonic", lambda: next(clock))
    ends: list[Finished] = []
    progress = ComponentProgress(Memory(), on_start=lambda _: None, on_finish=ends.append)
    with watching(progress, print):
        run_locally("Trainer")
    assert (ends[0].started, ends[0].seconds) == (10.0, 2.5)


def test_the_end_of_another_component_is_passed_over(events, progress):
    with watching(progress, events.append):
        tfx_logging.info("Component Trainer is running.")
        tfx_logging.info("Component Evaluator is finished.")
    assert events == ["start Trainer"]


def test_what_was_running_when_the_orchestrator_gave_up_is_known(events, progress):
    with watching(progress, events.append):
        assert progress.aborted() is None
        run_locally("Transform")
        assert progress.aborted() is None
        tfx_logging.info("Component Trainer is running.")
    assert progress.aborted().name == "Trainer"


def test_the_trainers_lines_are_handed_on(events, progress):
    with watching(progress, events.append):
        logging.getLogger("trainer_module.run").info("epoch %d", 1)
        logging.getLogger("components.pusher").info("not a line of the trainer")
    assert events == ["epoch 1"]


@pytest.mark.parametrize("error", [None, ValueError])
def test_nothing_is_heard_afterwards(events, progress, error):
    try:
        with watching(progress, events.append):
            if error:
                raise error
    except ValueError:
        pass
    run_locally("Trainer")
    logging.getLogger("trainer_module.run").info("epoch 1")
    assert events == []


def test_tfx_is_heard_again_after_tensorflow_has_silenced_it(events, progress):
    with watching(progress, events.append):
        former = tfx_logging.get_verbosity()
        tfx_logging.set_verbosity(tfx_logging.ERROR)
        run_locally("Unheard")
        tfx_logging.set_verbosity(former)
        run_locally("Pusher")
    assert events == ["start Pusher", "end Pusher 100"]


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("local/local_dag_runner.py", "'Component %s is running.'"),
        ("local/local_dag_runner.py", "'Component %s is finished.'"),
        ("beam/beam_dag_runner.py", "'node %s is running.'"),
        ("beam/beam_dag_runner.py", "'node %s is finished.'"),
        ("portable/launcher.py", "'A cached execution %d is used.'"),
    ],
)
def test_tfx_still_logs_what_is_read_here(module, line):
    assert line in (Path(tfx.__file__).parent / "orchestration" / module).read_text()


def test_the_time_of_each_epoch_is_taken_unrounded(events, progress):
    line = "epoch %2d/%d  %s  %.0f s%s"
    seconds = []
    with watching(progress, events.append, seconds.append):
        log = logging.getLogger("trainer_module.training.loop")
        log.info("%s, %s parameters, %d + %d images", "cnn", "1,000", 3, 4)
        log.info(line, 1, 3, "loss 0.5", 1.25, "  best")
        log.info(line, 2, 3, "loss 0.4", 0.004, "")
    assert seconds == [1.25, 0.004]
    assert events[1] == "epoch  1/3  loss 0.5  1 s  best"


def test_the_trainer_logs_an_epoch_in_the_format_that_is_read():
    source = (REPOSITORY / "trainer_module" / "training" / "loop.py").read_text()
    formats = re.findall(r'"(epoch [^"]*)"', source)
    assert [bool(_SECONDS.match(each)) for each in formats] == [True]
