"""Set-up of a process that runs Beam's steps."""

import os
from typing import Final

_LARGEST_BATCH: Final = 128
"""Records that Beam hands to TensorFlow at once. TFX's bound of 1,000 counts records, however large
an image each holds: at 1 MB a file that is 1 GB, and decoded several times more."""


def prepare_process() -> None:
    """Bounds Beam's batches, quiets its errors, hides the GPU from its workers, and ties them."""
    import tensorflow as tf
    from tfx_bsl.coders import batch_util

    from components.beam_workers import tie_workers
    from components.record_errors import name_damaged_files

    name_damaged_files()
    tie_workers()
    batch_util._BATCH_SIZE_CAP = _LARGEST_BATCH
    # This process keeps its GPU: CUDA reads the variable when the devices are first listed.
    # A worker process is started later, and would take a memory pool of its own.
    tf.config.list_physical_devices("GPU")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
