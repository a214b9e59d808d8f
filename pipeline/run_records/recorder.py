"""Records a run while its components finish."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pipeline.cli.output.display import Display
from pipeline.run.component_progress import Finished
from pipeline.run.memory import PeakMemory
from pipeline.run_records import run_record
from pipeline.run_records.run_record import ComponentRecord, RunRecord, StepRecord
from serving.progress import Progress


class Recorder:
    """Shows each step and component of a run, and adds it to the record with its cost.

    The run starts when this is made.

    Attributes:
        record: what is added to.
        display: shows what happens.
        memory: measures.
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
        self._save()

    def seconds(self) -> float:
        """Wall time of the run until now."""
        return time.monotonic() - self._started

    @contextmanager
    def step(self, name: str) -> Iterator[Progress]:
        """Context manager for one step before the pipeline; yields a progress callback."""
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
            self._save()

    def finished(self, component: Finished) -> None:
        """Takes a component that ended well."""
        self._add(component, "cached" if component.cached else "finished")
        self.display.finished(component)

    def aborted(self, component: Finished, state: Literal["failed", "interrupted"]) -> None:
        """Takes the component that did not end well, with how it ended instead."""
        self.display.failed(component.name)
        self._add(component, state)

    def _add(
        self, component: Finished, state: Literal["finished", "cached", "failed", "interrupted"]
    ) -> None:
        self.record.components.append(
            ComponentRecord(
                name=component.name,
                state=state,
                start=component.started - self._started,
                seconds=component.seconds,
                peak_memory=component.peak_memory,
            )
        )
        self._save()

    def _save(self) -> None:
        # A run that is killed shows what it took until here.
        self.record.seconds = self.seconds()
        run_record.save(self.record, self._folder)
