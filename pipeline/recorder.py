"""What a run does, kept in its record as it ends."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.images.progress import Progress
from pipeline import run_record
from pipeline.display import Display
from pipeline.memory import PeakMemory
from pipeline.progress import Finished
from pipeline.run_record import ComponentRecord, RunRecord, StepRecord


class Recorder:
    """Shows each step and component of a run, and adds it to the record with its cost.

    The run starts when this is made.

    Attributes:
      record: What is added to.
      display: Is told what happens.
      memory: Measures.
    """

    def __init__(
        self, record: RunRecord, folder: Path, display: Display, memory: PeakMemory
    ) -> None:
        """Saves the record to the folder, as at each later end."""
        self.record = record
        self.display = display
        self.memory = memory
        self._folder = folder
        self._started = time.monotonic()
        run_record.save(record, folder)

    def seconds(self) -> float:
        """Wall time of the run until now."""
        return time.monotonic() - self._started

    @contextmanager
    def step(self, name: str) -> Iterator[Progress]:
        """Is around what is done before the components; gives what to tell progress to."""
        self.memory.reset()
        start = self.seconds()
        try:
            with self.display.step(name) as progress:
                yield progress
        finally:
            seconds, peak = self.seconds() - start, self.memory.peak()
            self.record.steps.append(
                StepRecord(name=name, start=start, seconds=seconds, peak_memory=peak)
            )
            run_record.save(self.record, self._folder)

    def finished(self, component: Finished) -> None:
        """Takes a component that ended well."""
        self._add(component, failed=False)
        self.display.finished(component)

    def failed(self, component: Finished) -> None:
        """Takes the component that failed."""
        self._add(component, failed=True)
        self.display.failed(component.name)

    def _add(self, component: Finished, *, failed: bool) -> None:
        self.record.components.append(
            ComponentRecord(
                name=component.name,
                state="failed" if failed else "cached" if component.cached else "finished",
                start=component.started - self._started,
                seconds=component.seconds,
                peak_memory=component.peak_memory,
            )
        )
        run_record.save(self.record, self._folder)
