"""Cleaning a root: nothing else runs on it meanwhile, and the metadata store knows what is gone."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.root import clean as what
from pipeline.root.clean import Group
from pipeline.root.root import Root
from pipeline.root.root_lock import root_lock
from pipeline.run_records import run_record
from pipeline.run_records.run_record import ComponentRecord, RunRecord
from serving.versions.push import locked
from transform_module.errors import UserError
from transform_module.files.remote import is_remote

if TYPE_CHECKING:
    from pipeline.root.metadata import Execution


@dataclass(frozen=True)
class Cleaned(Group):
    """What was removed, or would be.

    Attributes:
        freed: bytes.
    """

    freed: int = 0


def clean(root: Root, *, keep: int, remove: bool) -> list[Cleaned]:
    """Finds what is not needed any more, and removes it where that is wanted.

    Args:
        root: the folder of the runs.
        keep: finished runs that stay.
        remove: whether it is removed.

    Returns:
        One group for each kind.

    Raises:
        UserError: there is no run, one is running, or something cannot be removed.
    """
    if not root.runs.is_dir():
        raise UserError(f"No run has begun under {root.path}: there is nothing to clean.")
    with root_lock(root.path), ExitStack() as locks:
        records = run_record.load_all(root.runs, None)
        if not records:
            raise UserError(f"No run has begun under {root.path}: there is nothing to clean.")
        if remove:
            # Before the unfinished copies are looked for: a run of another root may push here.
            _lock_pushes(root, records[-1], locks)
        kept = what.kept_runs(records, keep)
        needed = _needed(root, kept)
        found = what.groups(root, records, kept, needed, _expired(root, records[-1]))
        cleaned = [Cleaned(each.name, each.paths, what.freed(each.paths)) for each in found]
        if remove:
            _forget(root, needed)
            try:
                for each in cleaned:
                    what.remove(each.paths)
            except OSError as error:
                raise UserError(
                    f"{error.filename} cannot be removed: {error.strerror}. Make it writable, and "
                    "give the same command again."
                ) from error
    return cleaned


def _lock_pushes(root: Root, latest: RunRecord, locks: ExitStack) -> None:
    folders = set(root.pushed.glob("*"))
    directory, name = _push_dir(root, latest), latest.config.get("push", {}).get("model_name")
    if directory is not None and name:
        folders.add(directory / name)
    for folder in sorted(each for each in folders if each.is_dir()):
        try:
            locks.enter_context(locked(folder))
        except OSError as error:
            raise UserError(
                f"{folder} cannot be locked against pushes: {error.strerror}. Make it writable, "
                "and give the same command again."
            ) from error


def _expired(root: Root, latest: RunRecord) -> list[Path]:
    push = latest.config.get("push", {})
    directory = _push_dir(root, latest)
    if directory is None:
        return []
    return what.expired_versions(directory, push.get("model_name", ""), push.get("keep"))


def _push_dir(root: Root, latest: RunRecord) -> Path | None:
    """Returns where the latest run pushed; None where that is remote."""
    folder = latest.config.get("push", {}).get("directory") or str(root.pushed)
    return None if is_remote(folder) else Path(folder).expanduser().resolve()


def _needed(root: Root, kept: list[RunRecord]) -> set[str]:
    """Names the artifacts that the kept runs read and made, taken from the cache or not.

    A store that was removed or set aside knows nothing of them, and a record that was cut short
    knows little.
    """
    used: list[ComponentRecord | Execution] = [each for run in kept for each in run.components]
    if root.metadata.exists():
        from pipeline.root.metadata import executions
        from pipeline.root.metadata_store import require_whole

        require_whole(root.metadata)
        used += [each for run in kept for each in executions(root.metadata, run.id).values()]
    return {
        what.artifact_id(uri)
        for each in used
        for uris in (*each.inputs.values(), *each.outputs.values())
        for uri in uris
    }


def _forget(root: Root, needed: set[str]) -> None:
    """Marks the artifacts that go as deleted, before they go: the cache takes them no more."""
    if not root.metadata.exists():
        return
    from ml_metadata import metadata_store
    from ml_metadata.proto import metadata_store_pb2

    from pipeline.root.metadata import connection
    from pipeline.root.metadata_store import open_for_writing, sign

    open_for_writing(root.metadata)
    store = metadata_store.MetadataStore(connection(root.metadata))
    gone = [each for each in store.get_artifacts() if what.artifact_id(each.uri) not in needed]
    for artifact in gone:
        artifact.state = metadata_store_pb2.Artifact.DELETED
    if gone:
        store.put_artifacts(gone)
    del store
    sign(root.metadata)
