"""The Beam orchestrator: the components are the steps of a Beam pipeline."""

from collections.abc import Collection
from unittest import mock

from apache_beam.options.pipeline_options import StandardOptions
from tfx.orchestration.beam.beam_dag_runner import BeamDagRunner
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
        RuntimeError: with the traceback of what a component raised as its text.
    """
    prepare_process()
    # TFX takes no Beam options for the orchestrator itself, and Beam's default runner downloads
    # and starts another one.
    with intact_outputs(), mock.patch.object(StandardOptions, "DEFAULT_RUNNER", "FnApiRunner"):
        BeamDagRunner().run_with_ir(executable(pipeline, run_id, uncached))
