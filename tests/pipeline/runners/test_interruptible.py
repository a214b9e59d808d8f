import contextlib
import os
import signal
from types import SimpleNamespace

import pytest
from tfx.orchestration.portable import launcher

from pipeline.runners.interruptible import Interrupted, interruptible
from serving.process import interrupts


@pytest.fixture
def info(tmp_path):
    """What TFX's launcher knows of an execution: an output, an external one, a folder to retry."""
    for name in ("output", "external", "stateful"):
        (tmp_path / name).mkdir()
    artifacts = [
        SimpleNamespace(uri=str(tmp_path / name), is_external=name == "external")
        for name in ("output", "external")
    ]
    return SimpleNamespace(
        output_dict={"model": artifacts}, stateful_working_dir=str(tmp_path / "stateful")
    )


@pytest.fixture
def launch(monkeypatch, info):
    """Launches an executor as TFX does, and remembers what was published."""

    class Launched(launcher.Launcher):
        def __init__(self, execute):
            self.execute, self.published = execute, ""

        def _run_executor(self, info):
            self.execute()

    def tfx_launch(self):
        try:
            self._run_executor(info)
        except Exception:
            self.published = "failed"
            raise
        if self.execute is publishing:
            send()
        self.published = "succeeded"

    monkeypatch.setattr(launcher.Launcher, "launch", tfx_launch)

    def run(execute):
        launched = Launched(execute)
        with interruptible():
            try:
                launched.launch()
            finally:
                run.published = launched.published

    return run


def send():
    os.kill(os.getpid(), signal.SIGINT)


def publishing():
    """Ends well; the signal comes while TFX records that."""


def swallowing():
    with contextlib.suppress(KeyboardInterrupt):
        send()


def left(info):
    return [os.path.exists(each.uri) for each in info.output_dict["model"]]


@pytest.mark.parametrize("execute", [send, swallowing])
def test_an_interrupted_executor_has_failed_and_leaves_no_output(launch, info, execute):
    with interrupts.listening(), pytest.raises(Interrupted):
        launch(execute)
    assert launch.published == "failed"
    assert left(info) == [False, True]
    assert not os.path.exists(info.stateful_working_dir)


def test_what_is_being_recorded_is_recorded_whole(launch, info):
    with interrupts.listening():
        launch(publishing)
        assert interrupts.received()
    assert launch.published == "succeeded"
    assert left(info) == [True, True]


def test_after_a_signal_no_other_executor_begins(launch):
    with interrupts.listening():
        swallowing()
        with pytest.raises(Interrupted):
            launch(lambda: pytest.fail("it began"))


def test_an_error_stays_what_it_is(launch, info):
    with pytest.raises(ZeroDivisionError):
        launch(lambda: 1 / 0)
    assert left(info) == [False, True]


def test_without_a_signal_nothing_is_changed(launch, info):
    former = launcher.Launcher.launch
    launch(lambda: None)
    assert launch.published == "succeeded"
    assert launcher.Launcher.launch is former
    assert left(info) == [True, True]
