import io
import re
import time

import pytest
from rich.console import Console

from pipeline.cli.output import display as module
from pipeline.cli.output.display import Display
from pipeline.run.component_progress import Finished

EPOCH = (
    "epoch 14/25  loss 0.1192  accuracy 0.9554  auc 0.9942  val_loss 0.1954  val_accuracy 0.9180"
    "  val_auc 1.0000  3 s  best"
)


class Screen:
    """A Display, and what it has printed."""

    def __init__(self, terminal, width=80):
        self.file = io.StringIO()
        self.display = Display(
            Console(
                file=self.file,
                force_terminal=terminal,
                width=width,
                color_system=None,
                _environ={"TERM": "xterm"},
            )
        )

    @property
    def lines(self):
        return self.file.getvalue().splitlines()

    def wait_for(self, text):
        """Waits for the screen to be drawn anew, which happens several times a second."""
        deadline = time.monotonic() + 60
        while text not in self.file.getvalue():
            assert time.monotonic() < deadline, f"{text} is not shown"
            time.sleep(0.01)


@pytest.fixture
def log():
    return Screen(terminal=False)


@pytest.fixture
def terminal():
    return Screen(terminal=True)


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_a_step_is_one_line_with_its_time(log, clock):
    with log.display.step("Convert images"):
        clock[0] += 12.34
    assert log.lines == ["✓ Convert images                 12.3 s"]


def test_a_step_that_fails_is_not_ticked_off(log):
    with pytest.raises(ValueError, match="broken"), log.display.step("Convert images"):
        raise ValueError("broken")
    assert log.lines == []


def test_a_log_shows_progress_now_and_then(log, clock):
    with log.display.step("Convert images") as progress:
        for done in range(40):
            clock[0] += 1
            progress(1000 * done, 40_000)
    assert log.lines[:-1] == [
        "  Convert images: 15,000 of 40,000",
        "  Convert images: 31,000 of 40,000",
    ]


def test_a_terminal_shows_what_runs_and_its_progress(terminal):
    with terminal.display.step("Convert images") as progress:
        terminal.wait_for("Convert images")
        progress(1000, 40_000)
        terminal.wait_for("Convert images: 1,000 of 40,000")


def test_a_terminal_shows_a_component_while_it_runs_and_no_longer(terminal):
    terminal.display.started("Trainer")
    terminal.wait_for("Trainer")
    terminal.display.finished(Finished("Trainer", True, 0, 0, 0))
    shown = terminal.file.getvalue()
    time.sleep(0.3)
    assert terminal.file.getvalue() == shown


def test_a_component_ends_with_its_time_and_peak_memory(log):
    log.display.finished(Finished("Trainer", False, 0, 83.24, 2_345_000_000))
    assert log.lines == ["✓ Trainer                        83.2 s     2.3 GB"]


def test_a_cached_component_ends_with_that_alone(log):
    log.display.finished(Finished("Trainer", True, 0, 83.24, 2_345_000_000))
    assert re.fullmatch(r"✓ Trainer +cached", log.lines[0])


def test_a_component_that_failed_is_crossed_out(log):
    log.display.failed("Trainer")
    assert log.lines == ["✗ Trainer"]


@pytest.mark.parametrize("text", ["epoch 1/25 [a] [/b] auc 0.9", "long " * 40 + "end"])
def test_a_line_of_the_trainer_is_printed_as_it_is(log, text):
    log.display.line(text)
    assert log.lines == [f"  {text}"]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_an_epoch_is_one_line_of_a_terminal(width):
    screen = Screen(terminal=True, width=width)
    screen.display.line(EPOCH)
    (line,) = screen.lines
    assert len(line.rstrip()) < width
    assert line.startswith("  epoch 14/25  ")
    assert line.rstrip().endswith("val_auc 1.0000  3 s  best")


def test_an_epoch_is_one_whole_line_of_a_log():
    screen = Screen(terminal=False, width=60)
    screen.display.line(EPOCH)
    assert screen.lines == [f"  {EPOCH}"]


def test_a_long_line_of_the_trainer_is_broken_between_words(terminal):
    terminal.display.line("word " * 30)
    assert {word for line in terminal.lines for word in line.split()} == {"word"}
    assert all(line.startswith("  word") for line in terminal.lines)


def test_the_log_file_is_named_on_one_line(log, tmp_path):
    path = tmp_path / ("x" * 90) / "[run].log"
    log.display.log(path)
    assert log.lines == [f"  log: {path}"]
