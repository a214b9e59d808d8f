"""Set-up of a process that runs Beam's steps."""

import os
from typing import Final

_BATCH: Final = 32
"""Records that Beam hands to TensorFlow at once. TFX lets Beam choose, up to 1,000, however large
an image each holds: at 1 MB a file that is 1 GB, and decoded several times more. Beam chooses by
the time that a batch takes, so that the same examples would give other sums each time, and what is
computed from these would not be found in the cache."""


def prepare_process() -> None:
    """Fixes Beam's batches, quiets its errors, hides the GPU from its workers, and ties them."""
    import tensorflow as tf
    from tfx_bsl.coders import batch_util

    from serving.beam.beam_workers import tie_workers
    from serving.beam.record_errors import name_damaged_files

    name_damaged_files()
    tie_workers()
    batch_util.GetBatchElementsKwargs = _batches
    # This process keeps its GPU: CUDA reads the variable when the devices are first listed.
    # A worker process is started later, and would take a memory pool of its own.
    tf.config.list_physical_devices("GPU")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"


def _batches(*_: object, **__: object) -> dict[str, int]:
    """Replaces TFX's `GetBatchElementsKwargs`."""
    return {"min_batch_size": _BATCH, "max_batch_size": _BATCH}
