"""Progress of work that runs inside Beam: live in this process, by Beam's metrics elsewhere."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

Progress = Callable[[int, int], None]
"""Gets the number of images done and their total."""

Step = Callable[[str], AbstractContextManager[Progress]]
"""Shows what is done now, and gives its `Progress`."""

_counters: dict[str, Callable[[int], None]] = {}


def count(stage: str, images: int) -> None:
    """Reports images as done; says nothing where nobody in this process listens."""
    if counter := _counters.get(stage):
        counter(images)


@contextlib.contextmanager
def listening(stage: str, total: int, progress: Progress | None) -> Iterator[None]:
    """Sends what is counted for a stage to a listener, from 0 to the total.

    Args:
        stage: a name that no other running stage of this process has.
        total: number of images.
        progress: the listener; None where nobody wants to know.
    """
    if progress is None:
        yield
        return
    lock = threading.Lock()
    done = 0

    def add(images: int) -> None:
        nonlocal done
        with lock:
            done = min(done + images, total)
            progress(done, total)

    progress(0, total)
    _counters[stage] = add
    try:
        yield
    finally:
        del _counters[stage]
    progress(total, total)
