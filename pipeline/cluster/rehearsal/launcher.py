"""The launcher of a task: that of a release of Kubeflow Pipelines, or Vertex AI's."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from kfp.pipeline_spec import pipeline_spec_pb2

from pipeline.cluster.rehearsal.compiled import Compiled
from pipeline.cluster.rehearsal.invocation import Artifacts, Invocation
from pipeline.cluster.rehearsal.kubeflow_launcher import RELEASES, KubeflowLauncher
from pipeline.cluster.rehearsal.vertex_launcher import VertexLauncher
from transform_module.errors import UserError

VERTEX: Final = "vertex"


class Launcher(Protocol):
    """Hands a task its inputs, and takes its outputs."""

    def start(self, task: str, made: Mapping[str, Artifacts], folder: Path) -> Invocation:
        """Prepares a task.

        Args:
            task: its name.
            made: what the tasks before it made.
            folder: for what is this task's alone.

        Raises:
            UserError: a placeholder of its command names what the task does not have.
        """

    def finish(self, invoked: Invocation) -> Artifacts:
        """Takes the outputs of a task that has ended well, as the next ones are handed them.

        Raises:
            UserError: it made nothing where an output is declared, or reported something that
                cannot be read or recorded.
        """

    def path(self, artifact: pipeline_spec_pb2.RuntimeArtifact) -> Path:
        """Returns where an artifact is kept on this machine."""


def launcher(
    compiled: Compiled, like: str | None, folder: Path, places: Mapping[str, str]
) -> Launcher:
    """Chooses the launcher.

    Args:
        compiled: the pipeline.
        like: one of ``RELEASES`` or ``VERTEX``; what the file is compiled for, in Kubeflow's newest
            release here, if None.
        folder: for what takes the place of the cluster's store.
        places: local folders by the remote place that they stand for in parameters.

    Raises:
        UserError: the file is compiled for another one.
    """
    chosen = like or (VERTEX if compiled.is_job else list(RELEASES)[-1])
    if (chosen == VERTEX) != compiled.is_job:
        kind = "vertex" if compiled.is_job else "kubeflow"
        raise UserError(
            f"--like {chosen}: the file is compiled for {kind}. Compile it again: cxr compile "
            f"--target {'kubeflow' if compiled.is_job else 'vertex'}"
        )
    if chosen == VERTEX:
        return VertexLauncher(compiled, places)
    return KubeflowLauncher(compiled, RELEASES[chosen], folder, places)
