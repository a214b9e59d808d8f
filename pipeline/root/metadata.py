"""Reads a run from TFX's metadata store."""

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2

_INPUT = (metadata_store_pb2.Event.INPUT, metadata_store_pb2.Event.DECLARED_INPUT)


@dataclass(frozen=True)
class Execution:
    """One component's execution.

    Attributes:
        parameters: its parameters, as the cache sees them; JSON is parsed.
        inputs: folders of the artifacts that it read, by channel.
        outputs: folders of the artifacts that it made, by channel.
        properties: custom properties of the artifacts that it made, by channel.
    """

    parameters: dict[str, Any]
    inputs: dict[str, list[str]]
    outputs: dict[str, list[str]]
    properties: dict[str, dict[str, Any]]


def connection(path: Path) -> metadata_store_pb2.ConnectionConfig:
    """The connection to a store in an SQLite file, which is made if absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # As TFX's own function, whose import takes seconds.
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(path)
    config.sqlite.connection_mode = (
        metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    )
    return config


def executions(path: Path, run_id: str) -> dict[str, Execution]:
    """Reads the executions of a run.

    Args:
        path: the store's SQLite file.
        run_id: the run.

    Returns:
        By the component's id, those that the run came to.
    """
    store = metadata_store.MetadataStore(connection(path))
    context = store.get_context_by_type_and_name("pipeline_run", run_id)
    if context is None:
        return {}
    found = store.get_executions_by_context(context.id)
    events = store.get_events_by_execution_ids([execution.id for execution in found])
    artifacts = {
        artifact.id: artifact
        for artifact in store.get_artifacts_by_id(list({event.artifact_id for event in events}))
    }
    node_type = store.get_context_type("node").id if found else None
    result = {}
    for execution in found:
        inputs: dict[str, list[str]] = defaultdict(list)
        outputs: dict[str, list[str]] = defaultdict(list)
        properties: dict[str, dict[str, Any]] = {}
        for event in events:
            if event.execution_id != execution.id:
                continue
            artifact, channel = artifacts[event.artifact_id], event.path.steps[0].key
            if event.type in _INPUT:
                inputs[channel].append(artifact.uri)
            else:
                outputs[channel].append(artifact.uri)
                properties[channel] = _values(artifact.custom_properties)
        result[_node_id(store, execution.id, node_type)] = Execution(
            parameters={
                name: _parsed(value)
                for name, value in _values(execution.custom_properties).items()
                if not name.startswith("__") and value not in ("", None)
            },
            inputs=dict(inputs),
            outputs=dict(outputs),
            properties=properties,
        )
    return result


def _node_id(store: metadata_store.MetadataStore, execution: int, node_type: int | None) -> str:
    (name,) = (
        context.name
        for context in store.get_contexts_by_execution(execution)
        if context.type_id == node_type
    )
    return str(name.rsplit(".", 1)[-1])


def _values(properties: Any) -> dict[str, Any]:
    return {name: getattr(value, value.WhichOneof("value")) for name, value in properties.items()}


def _parsed(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
