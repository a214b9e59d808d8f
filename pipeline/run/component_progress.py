"""Progress of the components, read live from TFX's log."""

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from absl import logging as absl_logging

from pipeline.run.memory import PeakMemory

# The local orchestrator logs "Component X is running.", Beam's "node X is running.".
_STEP = re.compile(r"^(?:Component|node) (?P<name>\S+) is (?P<state>running|finished)\.$")
_WARNING = ("components.convert.convert", "pipeline.root.metadata_store", "pipeline.runners")
"""Loggers of what compares files with their checksums."""

# The format that `trainer_module.training.loop` logs an epoch in.
_SECONDS = re.compile(r"epoch %2d/%d (?P<before>.*)%\.\d?f s")
_CACHED = re.compile(r"^A cached execution \d+ is used\.$")


@dataclass(frozen=True)
class Finished:
    """One component's end.

    Attributes:
        name: the component's id.
        cached: whether an earlier run's output was taken.
        started: when, by `time.monotonic`.
        seconds: from its start, wall time.
        peak_memory: bytes, of the whole process tree while the component ran.
    """

    name: str
    cached: bool
    started: float
    seconds: float
    peak_memory: int


class ComponentProgress(logging.Handler):
    """A log handler that turns the orchestrator's lines into calls."""

    def __init__(
        self,
        memory: PeakMemory,
        on_start: Callable[[str], None],
        on_finish: Callable[[Finished], None],
    ) -> None:
        super().__init__(level=logging.INFO)
        self._running: str | None = None
        self._memory = memory
        self._on_start = on_start
        self._on_finish = on_finish
        self._cached = False
        self._started = 0.0

    def aborted(self) -> Finished | None:
        """The component that was running when the orchestrator gave up, None between two."""
        return None if self._running is None else self._ended(self._running, cached=False)

    def emit(self, record: logging.LogRecord) -> None:
        """Reads one line of TFX's log."""
        message = record.getMessage()
        if _CACHED.match(message):
            self._cached = True
        elif step := _STEP.match(message):
            if step["state"] == "running":
                self._start(step["name"])
            elif step["name"] == self._running:
                self._finish(step["name"])

    def _start(self, name: str) -> None:
        self._running, self._cached, self._started = name, False, time.monotonic()
        self._memory.reset()
        self._on_start(name)

    def _finish(self, name: str) -> None:
        self._running = None
        self._on_finish(self._ended(name, cached=self._cached))

    def _ended(self, name: str, *, cached: bool) -> Finished:
        seconds = time.monotonic() - self._started
        return Finished(name, cached, self._started, seconds, self._memory.peak())


class _Lines(logging.Handler):
    def __init__(self, on_line: Callable[[str], None], level: int) -> None:
        super().__init__(level=level)
        self._on_line = on_line

    def emit(self, record: logging.LogRecord) -> None:
        self._on_line(record.getMessage())


class _EpochTimes(logging.Handler):
    """A log handler that finds the time of each epoch in what the trainer logs of it."""

    def __init__(self, on_epoch: Callable[[float], None]) -> None:
        super().__init__(level=logging.INFO)
        self._on_epoch = on_epoch

    def emit(self, record: logging.LogRecord) -> None:
        """Takes the seconds of an epoch, unrounded, from the arguments of its line."""
        found = _SECONDS.match(str(record.msg))
        if found and isinstance(record.args, tuple):
            self._on_epoch(float(str(record.args[2 + found["before"].count("%")])))


@contextmanager
def watching(
    progress: ComponentProgress,
    on_line: Callable[[str], None],
    on_epoch: Callable[[float], None] = lambda _: None,
) -> Iterator[None]:
    """Listens to TFX (the `absl` logger) and to the trainer (`trainer_module`).

    Args:
        progress: is called for each component.
        on_line: is given each line that the trainer logs.
        on_epoch: is given the seconds of each epoch.
    """
    handlers = {
        "absl": progress,
        "trainer_module": _Lines(on_line, logging.INFO),
        "trainer_module.training.loop": _EpochTimes(on_epoch),
    }
    # TensorFlow silences absl while it saves a model, and then restores what was set this way.
    absl_logging.set_verbosity(absl_logging.INFO)
    for name, handler in handlers.items():
        logging.getLogger(name).addHandler(handler)
    try:
        yield
    finally:
        for name, handler in handlers.items():
            logging.getLogger(name).removeHandler(handler)


@contextmanager
def warnings_to(on_line: Callable[[str], None]) -> Iterator[None]:
    """Shows what was found damaged, within the block.

    Args:
        on_line: is given each warning of `_WARNING`.
    """
    lines = _Lines(on_line, logging.WARNING)
    for name in _WARNING:
        logging.getLogger(name).addHandler(lines)
    try:
        yield
    finally:
        for name in _WARNING:
            logging.getLogger(name).removeHandler(lines)
