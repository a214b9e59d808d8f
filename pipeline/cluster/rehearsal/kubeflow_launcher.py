"""What the driver and launcher of Kubeflow Pipelines hand to a task, and take from it.

Written from its sources (kubeflow/pipelines, backend/src/v2); the lines are those of the releases
2.0.5, 2.5.0 and 2.17.0, in this order. A container's disk is a folder here, so that its paths have
that folder in front, and the task is started with it as ``--copies_root``. Nothing else differs in
what a task is handed: the store is a folder, and the metadata store a list of what was made.
"""

import itertools
import json
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from components.task import COPIES_ROOT
from pipeline.cluster.rehearsal.compiled import Compiled
from pipeline.cluster.rehearsal.invocation import (
    Artifacts,
    Invocation,
    inputs,
    not_made,
    reported,
    resolved,
)
from transform_module.errors import UserError

_LOGS: Final = "executor-logs"

# component/launcher_v2.go, LocalPathForURI: 701-712, 882-896, 1239-1253.
_FOLDERS: Final = {"gs": "gcs", "s3": "s3", "minio": "minio"}

# component/launcher_v2.go, OutputMetadataFilepath: 375, 458, 526.
_OUTPUT_FILE: Final = "tmp/kfp_outputs/output_metadata.json"

# config/minio.go, s3.go and gcs.go of 2.17.0: what is recorded without a configuration of one's
# own. Earlier releases name the service of MinIO.
_SESSIONS: Final = {
    "gs": {"Provider": "gs", "Params": {"fromEnv": "true"}},
    "s3": {"Provider": "s3", "Params": {"fromEnv": "true"}},
    "minio": {
        "Provider": "minio",
        "Params": {
            "accessKeyKey": "accesskey",
            "disableSSL": "true",
            "endpoint": "seaweedfs.kubeflow:9000",
            "fromEnv": "false",
            "maxRetries": "5",
            "region": "minio",
            "secretKeyKey": "secretkey",
            "secretName": "mlpipeline-minio-artifact",
        },
    },
}


@dataclass(frozen=True)
class Release:
    """How releases differ in what they hand to a task.

    Attributes:
        sessions: whether artifacts record how the store is reached
            (metadata/client.go, RecordArtifact: not, 1047-1054, in 2.17.0 the same).
        logs: whether there is an output for the log, in a folder of each attempt
            (driver/driver.go, provisionOutputs: not, 2025-2038, 755-768).
        attempts: whether the log's URI ends with the attempt
            (component/launcher_v2.go, qualifyExecutorLogsURI: not, not, 538-554).
        task_root: whether outputs are named, and what is reported is written beside them
            (driver/driver.go, provisionOutputs: 1055-1079, 2017-2052, 770-807).
    """

    sessions: bool
    logs: bool
    attempts: bool
    task_root: bool


RELEASES: Final = {
    "kubeflow-2.0": Release(sessions=False, logs=False, attempts=False, task_root=False),
    "kubeflow-2.5": Release(sessions=True, logs=True, attempts=False, task_root=False),
    "kubeflow-2.17": Release(sessions=True, logs=True, attempts=True, task_root=True),
}
"""By the names that ``--like`` takes, the newest last."""


class KubeflowLauncher:
    """See `launcher.Launcher`."""

    def __init__(
        self, compiled: Compiled, release: Release, folder: Path, places: Mapping[str, str]
    ) -> None:
        """Begins a run.

        Args:
            compiled: the pipeline.
            release: of Kubeflow.
            folder: for what takes the place of the object store.
            places: local folders by the remote place that they stand for in parameters.
        """
        self._compiled = compiled
        self._release = release
        self._store = folder / "store"
        self._places = places
        # metadata/client.go, GetPipeline: 2.5.0 306-319, 2.17.0 410-423.
        name = compiled.spec.pipeline_info.name
        self._root = f"{compiled.root.rstrip('/')}/{name}/{uuid.uuid4()}"
        self._ids = itertools.count(time.time_ns())

    def start(self, task: str, made: Mapping[str, Artifacts], folder: Path) -> Invocation:
        """Prepares a task; see `launcher.Launcher`."""
        given = inputs(self._compiled, task, made, self._places)
        disk = folder / "disk"
        self._provision(task, given, disk)
        for artifact in _artifacts(given.inputs):
            # component/launcher_v2.go, downloadArtifacts: 466-518, 619-688, 927-1003.
            if local := _local(artifact.uri, disk):
                _copy(self.path(artifact), local)
        for artifact in _artifacts(given.outputs):
            # component/launcher_v2.go, prepareOutputFolders: 714-740, 898-925, 1280-1307.
            local = _local(artifact.uri, disk)
            if local is None:
                raise UserError(
                    f"{task}: Kubeflow stores outputs in gs://, s3:// or minio:// alone, not in "
                    f"{artifact.uri}. Set cluster.root and compile again."
                )
            local.parent.mkdir(parents=True, exist_ok=True)
        container = self._compiled.executor(task).container
        words = [*container.command, *container.args]
        if COPIES_ROOT in words:
            words[words.index(COPIES_ROOT) + 1] = str(disk)
        return Invocation(
            task,
            [],
            resolved(words, task, given),
            {each.name: each.value for each in container.env},
            given,
            folder,
        )

    def _provision(self, task: str, given: pipeline_spec_pb2.ExecutorInput, disk: Path) -> None:
        """Names a task's outputs, as the driver does: 1055-1085, 2010-2061, 741-810."""
        release = self._release
        # 2.0.5 has one folder for all attempts: generateOutputURI, 1081-1085.
        attempt = [str(uuid.uuid4())] if release.logs else []
        root = "/".join([self._root, task, *attempt])
        types = {
            name: each.artifact_type
            for name, each in self._compiled.component(task).output_definitions.artifacts.items()
        }
        if release.logs:
            types[_LOGS] = pipeline_spec_pb2.ArtifactTypeSchema(schema_title="system.Artifact")
        for name, kind in types.items():
            suffix = "-0" if name == _LOGS and release.attempts else ""
            given.outputs.artifacts[name].artifacts.add(
                name=name if release.task_root else "", uri=f"{root}/{name}{suffix}", type=kind
            )
        local = _local(root, disk) if release.task_root else None
        file = local / "output_metadata.json" if local else disk / _OUTPUT_FILE
        given.outputs.output_file = str(file)

    def finish(self, invoked: Invocation) -> Artifacts:
        """Takes a task's outputs; see `launcher.Launcher`.

        As uploadOutputArtifacts does in component/launcher_v2.go: 414-464, 540-592, 778-856.
        """
        disk = invoked.folder / "disk"
        found = reported(invoked)
        made = {}
        for name, expected in invoked.executor_input.outputs.artifacts.items():
            if name == _LOGS:
                continue
            (artifact,) = expected.artifacts
            reports = found.artifacts[name].artifacts
            for each in reports[:1]:
                artifact.metadata.update(json_format.MessageToDict(each.metadata))
                artifact.uri = each.uri or artifact.uri
            local = _local(artifact.uri, disk)
            if not reports and not (local and local.exists()):
                raise not_made(invoked.task, name)
            if local:
                self._check_root(invoked.task, artifact)
                _copy(local, self.path(artifact))
            made[name] = [self._recorded(invoked.task, name, artifact)]
        shutil.rmtree(disk)
        return made

    def _check_root(self, task: str, artifact: pipeline_spec_pb2.RuntimeArtifact) -> None:
        """Refuses what KeyFromURI does in objectstore/config.go of 2.17.0: 101-112."""
        if not artifact.uri.startswith(self._root):
            raise UserError(
                f"{task}: it reports the output {artifact.uri}, which is not under {self._root}."
            )

    def _recorded(
        self, task: str, output: str, artifact: pipeline_spec_pb2.RuntimeArtifact
    ) -> pipeline_spec_pb2.RuntimeArtifact:
        """Returns an artifact as it comes back from the metadata store.

        As in metadata/client.go, RecordArtifact (845-893, 1018-1078, 1214-1274) and
        ToRuntimeArtifact (166-181, 175-190, 245-260), and metadata/converter.go (110-216, in
        2.17.0 115-221).
        """
        metadata = {
            name: _value(task, output, name, each)
            for name, each in json_format.MessageToDict(artifact.metadata).items()
        }
        metadata.setdefault("display_name", output)
        if self._release.sessions:
            session = json.dumps(_SESSIONS[self._root.partition("://")[0]])
            metadata.setdefault("store_session_info", session)
        handed = pipeline_spec_pb2.RuntimeArtifact(name=str(next(self._ids)), uri=artifact.uri)
        handed.metadata.update(metadata)
        handed.type.instance_schema = ""
        return handed

    def path(self, artifact: pipeline_spec_pb2.RuntimeArtifact) -> Path:
        """Returns where an artifact is in the store; see `launcher.Launcher`."""
        return self._store / artifact.uri.replace("://", "/", 1)


def _artifacts(side: Any) -> Iterator[pipeline_spec_pb2.RuntimeArtifact]:
    for found in side.artifacts.values():
        yield from found.artifacts


def _local(uri: str, disk: Path) -> Path | None:
    """Returns the folder of a URI on a container's disk; None for a store that has none."""
    scheme, _, place = uri.partition("://")
    return disk / _FOLDERS[scheme] / place if scheme in _FOLDERS else None


def _copy(source: Path, target: Path) -> None:
    """Copies files as to or from an object store, which has no empty folders."""
    files = [source] if source.is_file() else sorted(source.rglob("*"))
    for file in files:
        if file.is_file():
            to = target / file.relative_to(source)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, to)


def _value(task: str, output: str, name: str, value: Any) -> Any:
    """Converts a value of metadata; StructValueToMLMDValue: 133-166, in 2.17.0 138-171."""
    match value:
        case bool():
            return int(value)
        case list():
            return {"list": value}
        case dict():
            return {"struct": value}
        case None:
            raise UserError(
                f"{task}: the property {name} of its output {output} is null, which Kubeflow "
                "cannot record."
            )
    return value
