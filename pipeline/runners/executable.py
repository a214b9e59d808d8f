"""From the wired pipeline to what the orchestrators of this machine execute."""

from collections.abc import Collection
from typing import Any

from tfx.dsl.compiler.compiler import Compiler
from tfx.dsl.compiler.constants import PIPELINE_RUN_ID_PARAMETER_NAME
from tfx.orchestration.pipeline import Pipeline
from tfx.orchestration.portable.runtime_parameter_utils import substitute_runtime_parameter


def executable(pipeline: Pipeline, run_id: str, uncached: Collection[str]) -> Any:
    """Compiles a pipeline for one run.

    Args:
        pipeline: the wired pipeline.
        run_id: the run's name in the metadata store.
        uncached: ids of the nodes that run even if nothing changed.

    Returns:
        TFX's intermediate representation, `pipeline_pb2.Pipeline`.
    """
    compiled = Compiler().compile(pipeline)
    substitute_runtime_parameter(compiled, {PIPELINE_RUN_ID_PARAMETER_NAME: run_id})
    for node in compiled.nodes:
        if node.pipeline_node.node_info.id in uncached:
            node.pipeline_node.execution_options.caching_options.enable_cache = False
    return compiled
