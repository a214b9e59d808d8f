"""Leftovers of a killed run in the metadata store and among the artifacts."""

import shutil
from pathlib import Path
from typing import Final

from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2

from pipeline.root.metadata import connection

_UNFINISHED: Final = (metadata_store_pb2.Execution.NEW, metadata_store_pb2.Execution.RUNNING)

# TFX's own folders of a component: of an execution, by its number, and of one that may be retried,
# which no run does.
_OF_EXECUTION: Final = ("*/*", "*/.system/executor_execution", "*/.system/driver_execution")
_RETRIED: Final = "*/.system/stateful_working_dir/*"


def remove_unfinished(metadata: Path, artifacts: Path) -> None:
    """Removes the outputs of executions that never finished, and marks these as failed.

    Call it only while no other process runs components on the root.

    Args:
        metadata: the store's SQLite file.
        artifacts: the folder of the components' outputs.
    """
    if not metadata.exists():
        return
    store = metadata_store.MetadataStore(connection(metadata))
    dead = [each for each in store.get_executions() if each.last_known_state in _UNFINISHED]
    folders = [
        folder
        for execution in dead
        for pattern in _OF_EXECUTION
        for folder in artifacts.glob(f"{pattern}/{execution.id}")
    ]
    for folder in (*folders, *artifacts.glob(_RETRIED)):
        shutil.rmtree(folder, ignore_errors=True)
    for execution in dead:
        execution.last_known_state = metadata_store_pb2.Execution.FAILED
    if dead:
        store.put_executions(dead)
