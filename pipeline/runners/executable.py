"""From the wired pipeline to what the orchestrators of this machine execute."""

import os
from collections.abc import Collection
from typing import Any

from tfx.dsl.compiler.compiler import Compiler
from tfx.dsl.compiler.constants import PIPELINE_RUN_ID_PARAMETER_NAME
from tfx.orchestration.pipeline import Pipeline
from tfx.orchestration.portable.runtime_parameter_utils import substitute_runtime_parameter

_LARGEST_BATCH = 128
"""Records that Beam hands to TensorFlow at once. TFX's bound of 1,000 counts records, however large
a picture each holds: at 1 MB a file that is 1 GB, and decoded several times more."""


def executable(pipeline: Pipeline, run_id: str, uncached: Collection[str]) -> Any:
    """Compiles a pipeline for one run.

    Args:
      pipeline: The wired pipeline.
      run_id: The run's name in the metadata store.
      uncached: Ids of the nodes that run even if nothing changed.

    Returns:
      TFX's intermediate representation, `pipeline_pb2.Pipeline`.
    """
    compiled = Compiler().compile(pipeline)
    substitute_runtime_parameter(compiled, {PIPELINE_RUN_ID_PARAMETER_NAME: run_id})
    for node in compiled.nodes:
        if node.pipeline_node.node_info.id in uncached:
            node.pipeline_node.execution_options.caching_options.enable_cache = False
    return compiled


def prepare_process() -> None:
    """Bounds Beam's batches, and hides the GPU from Beam's worker processes."""
    import tensorflow as tf
    from tfx_bsl.coders import batch_util

    batch_util._BATCH_SIZE_CAP = _LARGEST_BATCH
    # This process keeps its GPU: CUDA reads the variable when the devices are first listed.
    # A worker process is started later, and would take a memory pool of its own.
    tf.config.list_physical_devices("GPU")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
