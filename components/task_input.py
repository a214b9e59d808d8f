"""A task's input, as its launcher hands it over, made into what TFX's entry point reads.

TFX's entry point is written for Vertex AI. The driver and launcher of Kubeflow Pipelines hand over
something else (kubeflow/pipelines, backend/src/v2, releases 2.0.5, 2.5.0 and 2.17.0):

- The type of an input artifact is an empty ``instanceSchema``, its name is a number
  (metadata/client.go, ToRuntimeArtifact: 2.0.5 lines 166-181, 2.5.0 175-190, 2.17.0 245-260;
  metadata/converter.go, toRuntimeArtifact: 176-216 in 2.0.5 and 2.5.0, 181-221 in 2.17.0).
- From 2.5.0 on, each task has the output ``executor-logs`` of type ``system.Artifact``, which the
  launcher itself writes (driver/driver.go, provisionOutputs: 2.5.0 lines 2025-2038, 2.17.0
  755-768).
- Output artifacts have no name (2.0.5 lines 1061-1071, 2.5.0 2040-2052), or that of the output
  (2.17.0 778-792).
- Inputs are copied to, and outputs uploaded from, ``/gcs``, ``/s3`` and ``/minio``, while the input
  names the URIs in the store (component/launcher_v2.go, LocalPathForURI: 2.0.5 lines 701-712, 2.5.0
  882-896, 2.17.0 1239-1253). A URI that the task reports replaces the one it was given
  (mergeRuntimeArtifacts: 2.0.5 lines 654-668, 2.5.0 835-849, 2.17.0 1188-1206), and from a local
  path nothing is uploaded.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kfp.pipeline_spec.pipeline_spec_pb2 import (
    ComponentInputsSpec,
    ExecutorInput,
    RuntimeArtifact,
)

_FOLDERS: Final = {"gs": "gcs", "s3": "s3", "minio": "minio"}
"""Kubeflow's folder for each kind of store."""

_KUBEFLOWS_OWN: Final = "system."


def complete(given: ExecutorInput, declared: ComponentInputsSpec) -> None:
    """Adds the types that are missing, and removes the outputs that are not the task's.

    Args:
        given: the task's input; is changed.
        declared: the inputs of its component.
    """
    for name, found in given.inputs.artifacts.items():
        for artifact in found.artifacts:
            if not (artifact.type.instance_schema or artifact.type.schema_title):
                artifact.type.CopyFrom(declared.artifacts[name].artifact_type)
    for name, made in list(given.outputs.artifacts.items()):
        if any(each.type.schema_title.startswith(_KUBEFLOWS_OWN) for each in made.artifacts):
            del given.outputs.artifacts[name]


def localize(given: ExecutorInput, root: str) -> dict[str, str]:
    """Replaces the URIs of a store by the folders in which the launcher has its copies.

    Args:
        given: the task's input; is changed.
        root: the folder that holds those of each kind of store.

    Returns:
        The URIs by the folder that replaced them.
    """
    uris = {}
    for artifact in _artifacts(given):
        scheme, _, place = artifact.uri.partition("://")
        if scheme in _FOLDERS:
            folder = os.path.join(root, _FOLDERS[scheme], place)
            uris[folder] = artifact.uri
            artifact.uri = folder
    return uris


def remote_again(value: Any, uris: Mapping[str, str]) -> Any:
    """Replaces the launcher's folders by the URIs that they stand for.

    Args:
        value: any value of JSON.
        uris: from `localize`.
    """
    match value:
        case dict():
            return {key: remote_again(each, uris) for key, each in value.items()}
        case list():
            return [remote_again(each, uris) for each in value]
        case str():
            for folder, uri in uris.items():
                if value == folder or value.startswith(f"{folder}/"):
                    return uri + value[len(folder) :]
    return value


def _artifacts(given: ExecutorInput) -> Iterator[RuntimeArtifact]:
    for side in (given.inputs, given.outputs):
        for found in side.artifacts.values():
            yield from found.artifacts
