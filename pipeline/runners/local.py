"""The local orchestrator: one component after the other, in this process."""

from collections.abc import Collection

from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.pipeline import Pipeline

from pipeline.runners.executable import executable
from pipeline.runners.launching import intact_outputs
from serving.beam.beam_process import prepare_process


def run(pipeline: Pipeline, *, run_id: str, uncached: Collection[str]) -> None:
    """Runs a pipeline to its end.

    Args:
        pipeline: the wired pipeline, with a metadata connection.
        run_id: the run's name in the metadata store.
        uncached: ids of the nodes that run even if nothing changed.

    Raises:
        Exception: what a component raised.
    """
    prepare_process()
    with intact_outputs():
        LocalDagRunner().run_with_ir(executable(pipeline, run_id, uncached))
