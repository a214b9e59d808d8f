"""Start of a component by TFX's orchestrators: from an intact cache, or into an empty folder."""

import logging
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

from google.protobuf import message
from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.orchestration.metadata import Metadata
from tfx.orchestration.portable import cache_utils, data_types, launcher
from tfx.orchestration.portable.mlmd import context_lib, execution_lib
from tfx.proto.orchestration import execution_result_pb2, pipeline_pb2
from tfx.types import standard_artifacts

from pipeline.runners import seal
from pipeline.runners.cache_key import cache_key

_LOG = logging.getLogger(__name__)


@contextmanager
def intact_outputs() -> Iterator[None]:
    """Lets the orchestrators use no damaged output, within the block.

    TFX's launcher takes a cached artifact when its folder exists, and starts an executor with
    whatever the output folder holds. It has no place to say otherwise, so its functions are
    replaced: by `_context` the cache's key, by `_outputs` what is found there, by `_Launcher` how
    an executor is started.
    """
    with (
        mock.patch.object(cache_utils, "get_cache_context", _context),
        mock.patch.object(cache_utils, "get_cached_outputs", _outputs),
        mock.patch.object(launcher, "Launcher", _Launcher),
    ):
        yield


class _Launcher(launcher.Launcher):
    def _run_executor(
        self, execution_info: data_types.ExecutionInfo
    ) -> execution_result_pb2.ExecutorOutput:
        outputs = [each for found in execution_info.output_dict.values() for each in found]
        # A new metadata store counts from 1 again, and what an older one left is there.
        for artifact in outputs:
            if not artifact.is_external:
                _clear(artifact.uri)
        _clear(execution_info.execution_output_uri)
        finished = super()._run_executor(execution_info)
        for channel, artifacts in finished.output_artifacts.items():
            types_of = {each.type_name for each in execution_info.output_dict[channel]}
            for artifact in artifacts.artifacts:
                if not any(may_pass(each, artifact) for each in types_of):
                    seal.seal(artifact)
        return finished


def may_pass(type_name: str, artifact: metadata_store_pb2.Artifact) -> bool:
    """Returns whether an artifact is a refusal whose cause may have gone by the next run.

    A model that did not load or was slow may have met a busy machine or a full memory. Such an
    artifact is not sealed, so that the check is made again and not taken from the cache.

    Args:
        type_name: the artifact's type.
        artifact: what a component made.
    """
    return (
        type_name == standard_artifacts.InfraBlessing.TYPE_NAME
        and not artifact.custom_properties["blessed"].int_value
    )


def _clear(uri: str) -> None:
    if os.path.isdir(uri) and not os.path.islink(uri):
        shutil.rmtree(uri)
    elif os.path.lexists(uri):
        os.unlink(uri)


def _context(
    metadata_handle: Metadata,
    pipeline_node: pipeline_pb2.PipelineNode,
    pipeline_info: pipeline_pb2.PipelineInfo,
    executor_spec: message.Message | None = None,
    input_artifacts: Mapping[str, Sequence[types.Artifact]] | None = None,
    output_artifacts: Mapping[str, Sequence[types.Artifact]] | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> metadata_store_pb2.Context:
    """Replaces TFX's `get_cache_context`, whose key knows where things are stored."""
    del pipeline_info, output_artifacts
    info = pipeline_node.node_info
    key = cache_key(
        f"{info.type.name} {info.id}",
        input_artifacts or {},
        parameters or {},
        executor_spec.SerializeToString(deterministic=True) if executor_spec else b"",
    )
    return context_lib.register_context_if_not_exists(
        metadata_handle=metadata_handle,
        context_type_name=context_lib.CONTEXT_TYPE_EXECUTION_CACHE,
        context_name=key,
    )


def _outputs(
    metadata_handle: Metadata, cache_context: metadata_store_pb2.Context
) -> dict[str, list[types.Artifact]] | None:
    """Replaces TFX's `get_cached_outputs`, which looks whether the folders exist.

    Returns:
        The outputs of the latest execution that are all as they were when it finished.
    """
    executions = execution_lib.sort_executions_newest_to_oldest(
        filter(
            execution_lib.is_execution_successful,
            metadata_handle.store.get_executions_by_context(cache_context.id),
        )
    )
    seen = set()
    for execution in executions:
        found = cache_utils._get_outputs_of_execution(metadata_handle, execution.id)
        if found is None:
            continue
        artifacts = [each.mlmd_artifact for channel in found.values() for each in channel]
        ids = frozenset(artifact.id for artifact in artifacts)
        if ids in seen or not all(map(seal.is_sealed, artifacts)):
            continue
        seen.add(ids)
        problems = [problem for artifact in artifacts for problem in seal.damage(artifact)]
        if not problems:
            return dict(found)
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        _LOG.warning("%s%s; it is computed again.", problems[0], more)
    return None
