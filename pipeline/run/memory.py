"""The memory that a run takes."""

import contextlib
import threading

import psutil

_INTERVAL_SECONDS = 0.25


class PeakMemory:
    """Samples the resident memory of this process and all its children, as a context manager.

    Shared pages count once a process, so that the figure is an upper bound; a peak shorter than a
    quarter of a second can be missed.
    """

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._peak = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample_until_ended, daemon=True)

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def reset(self) -> None:
        """Begins a new measurement."""
        self._peak = 0

    def peak(self) -> int:
        """The highest sample since the last reset, in bytes, a fresh one included."""
        self._sample()
        return self._peak

    def _sample_until_ended(self) -> None:
        while not self._ended.wait(_INTERVAL_SECONDS):
            self._sample()

    def _sample(self) -> None:
        total = 0
        for process in [self._process, *self._process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
        self._peak = max(self._peak, total)
