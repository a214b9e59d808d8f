"""What Vertex AI hands to a task.

Its sources are not public. TFX's own tests have what its entry point was written for (tfx 1.21,
orchestration/kubeflow/v2/container/testdata/executor_invocation.json): each artifact has its type
and the name of a resource, and the metadata of its producer. URIs are those of the bucket, which
the task reads and writes by itself; here local folders stand for them.
"""

import itertools
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from pipeline.cluster.rehearsal.compiled import Compiled
from pipeline.cluster.rehearsal.invocation import (
    Artifacts,
    Invocation,
    inputs,
    not_made,
    reported,
    resolved,
)

_NAME: Final = "projects/1/locations/us-central1/metadataStores/default/artifacts/{}"


class VertexLauncher:
    """See `launcher.Launcher`."""

    def __init__(self, compiled: Compiled, places: Mapping[str, str]) -> None:
        """Prepares nothing yet.

        Args:
            compiled: the pipeline.
            places: local folders by the remote place that they stand for in parameters.
        """
        self._compiled = compiled
        self._places = places
        self._numbers = itertools.count(time.time_ns())

    def start(self, task: str, made: Mapping[str, Artifacts], folder: Path) -> Invocation:
        """Prepares a task; see `launcher.Launcher`."""
        given = inputs(self._compiled, task, made, self._places)
        for name, each in self._compiled.component(task).output_definitions.artifacts.items():
            artifact = given.outputs.artifacts[name].artifacts.add()
            artifact.name = _NAME.format(next(self._numbers))
            artifact.uri = str(folder / name)
            artifact.type.CopyFrom(each.artifact_type)
        given.outputs.output_file = str(folder / "executor_output.json")
        container = self._compiled.executor(task).container
        hook = container.lifecycle.pre_cache_check
        return Invocation(
            task,
            resolved([*hook.command, *hook.args], task, given),
            resolved([*container.command, *container.args], task, given),
            {each.name: each.value for each in container.env},
            given,
            folder,
        )

    def finish(self, invoked: Invocation) -> Artifacts:
        """Takes a task's outputs; see `launcher.Launcher`."""
        found = reported(invoked)
        made = {}
        for name, expected in invoked.executor_input.outputs.artifacts.items():
            (artifact,) = expected.artifacts
            reports = found.artifacts[name].artifacts
            if not reports and not Path(artifact.uri).exists():
                raise not_made(invoked.task, name)
            for each in reports:
                artifact.metadata.update(json_format.MessageToDict(each.metadata))
                artifact.uri = each.uri or artifact.uri
            made[name] = [artifact]
        return made

    def path(self, artifact: pipeline_spec_pb2.RuntimeArtifact) -> Path:
        """Returns where an artifact is; see `launcher.Launcher`."""
        return Path(artifact.uri)
