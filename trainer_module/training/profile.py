"""Figures of TensorBoard's profiler about a training."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

import tensorflow as tf

# The first step traces the graph, and the next ones fill the queues of images.
_WARM_UP: Final = 5

_STEPS: Final = 10


def profiled(batches: Iterable[Any], log_dir: Path, *, steps: int) -> Iterator[Any]:
    """Passes batches on, and profiles what is done with at most ten of them.

    Args:
        batches: of one epoch.
        log_dir: the profile goes to ``plugins/profile`` in it, where TensorBoard looks.
        steps: how many batches there are. Of a few, the first half is not profiled.
    """
    remaining = iter(batches)
    warm_up = min(_WARM_UP, steps // 2)
    yield from islice(remaining, warm_up)
    tf.profiler.experimental.start(str(log_dir))
    try:
        for number in range(warm_up, min(warm_up + _STEPS, steps)):
            # The wait for the batch is part of its step.
            with tf.profiler.experimental.Trace("train", step_num=number, _r=1):
                yield next(remaining)
    finally:
        tf.profiler.experimental.stop()
    yield from remaining
