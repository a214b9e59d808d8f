"""Files that may be removed from a root: those that no kept run and no pushed version needs."""

import os
import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from pipeline.root.root import Root
from pipeline.run import former_datasets
from pipeline.run_records.run_record import COMPLETE, RunRecord
from serving.versions import pushed, rolled_back
from transform_module.files.sums import digest

_NUMBER: Final = re.compile(r"[0-9]+")
_SYSTEM: Final = ".system"


@dataclass(frozen=True)
class Group:
    """Things of one kind that may be removed.

    Attributes:
        name: what they are, for people.
        paths: files and folders, none inside another one of any group.
    """

    name: str
    paths: tuple[Path, ...]


def kept_runs(records: list[RunRecord], keep: int) -> list[RunRecord]:
    """Chooses the runs that are kept: the last finished ones, and all since the first of these.

    Args:
        records: all runs, the oldest first.
        keep: so many that have finished, at least 1.
    """
    finished = [index for index, each in enumerate(records) if each.state in COMPLETE]
    return records[finished[-keep] :] if len(finished) >= keep else records


def groups(
    root: Root,
    records: list[RunRecord],
    kept: list[RunRecord],
    needed: Collection[str],
    expired: Iterable[Path],
) -> list[Group]:
    """Lists what may be removed.

    Args:
        root: on which nothing runs.
        records: all runs.
        kept: those that stay.
        needed: artifacts that stay, as `COMPONENT/CHANNEL/EXECUTION`.
        expired: pushed versions that do not stay.

    Returns:
        One group for each kind, empty ones too.
    """
    gone = {each.id for each in records} - {each.id for each in kept}
    since = min(map(_started, kept), default=0.0)
    used = {each.dataset_fingerprint for each in kept}
    return [
        Group("unfinished", tuple(sorted(_unfinished(root)))),
        Group("artifacts", tuple(sorted(_artifacts(root, needed)))),
        Group("converted images", tuple(former_datasets.not_of(root.former_datasets, used))),
        Group("checkpoints", tuple(sorted(_checkpoints(root, since)))),
        Group("records and logs", tuple(sorted(_of_runs(root, gone)))),
        Group("pushed versions", tuple(sorted(expired))),
    ]


def expired_versions(push_dir: Path, model_name: str, keep: int | None) -> list[Path]:
    """Lists the pushed versions that a retention of `keep` lets go.

    What serves stays: the newest whole version, the one that a rollback would go to, and the one
    that the newest was compared with. So does what is newer than the newest whole one: it is
    broken, and somebody has to look at it.

    Args:
        push_dir: a local push folder.
        model_name: the model's name in it.
        keep: number of versions that stay in any case; None keeps all.
    """
    versions = pushed.versions(push_dir, model_name)
    if keep is None or len(versions) <= keep:
        return []
    # As for servers and rollbacks, a version is whole whatever others put beside its files.
    whole = [each for each in versions if not pushed.verify(each.path)]
    if not whole:
        return []
    left = {each.digest for each in rolled_back.read(push_dir / model_name)}
    good = [each for each in whole if digest(_files(each)) not in left]
    newest = whole[-1]
    stays = {newest.version, *(each.version for each in versions[-keep:])}
    stays |= {each.version for each in versions if each.version > newest.version}
    files = _files(newest)
    origin = next(each for each in whole if _files(each) == files)
    former = [each.version for each in good if each.version < origin.version]
    stays |= {*former[-1:], *(each.version for each in good[-1:])}
    compared = str((newest.manifest or {}).get("baseline_version", ""))
    return [
        each.path
        for each in versions
        if each.version not in stays and str(each.version) != compared
    ]


def freed(paths: Iterable[Path]) -> int:
    """Returns the bytes on the disk that are free once files and folders are removed.

    A file that has another name elsewhere (a hard link) frees none.
    """
    links: dict[tuple[int, int], list[int]] = {}
    for path in paths:
        for file in _files_of(path):
            found = file.lstat()
            entry = links.setdefault((found.st_dev, found.st_ino), [0, found.st_nlink])
            entry[0] += 1
            if len(entry) == 2:
                entry.append(found.st_blocks * 512)
    return sum(size for removed, there, size in links.values() if removed >= there)


def remove(paths: Iterable[Path]) -> None:
    """Removes files and folders; what is gone already is not an error."""
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def artifact_id(uri: str) -> str:
    """Names an artifact by `COMPONENT/CHANNEL/EXECUTION`, wherever its root is."""
    return "/".join(Path(uri).parts[-3:])


def _started(record: RunRecord) -> float:
    """Returns when a run started; 0 where its record does not say it, so that nothing is older."""
    try:
        return datetime.fromisoformat(record.started).timestamp()
    except ValueError:
        return 0.0


def _unfinished(root: Root) -> Iterator[Path]:
    for pattern in (
        ".dataset.partial",
        "datasets/.*.partial",
        ".images.partial",
        ".images.replaced",
        "metadata.sqlite.damaged-*",
        "runs/.*.partial",
        "pushed/*/.tmp-*",
    ):
        yield from root.path.glob(pattern)


def _artifacts(root: Root, needed: Collection[str]) -> Iterator[Path]:
    for component in _folders(root.artifacts):
        for channel in _folders(component):
            if channel.name == _SYSTEM:
                # TFX leaves its working folders, mostly empty.
                if any(_files_of(channel)):
                    yield channel
                continue
            for execution in channel.iterdir():
                if _NUMBER.fullmatch(execution.name) and artifact_id(str(execution)) not in needed:
                    yield execution


def _checkpoints(root: Root, since: float) -> Iterator[Path]:
    """Yields the states of trainings that nothing was added to since the first kept run."""
    for folder in _folders(root.checkpoints):
        latest = max((path.lstat().st_mtime for path in folder.rglob("*")), default=0.0)
        if max(latest, folder.stat().st_mtime) < since:
            yield folder


def _of_runs(root: Root, runs: Iterable[str]) -> Iterator[Path]:
    for run in runs:
        for path in (
            root.runs / f"{run}.json",
            root.log(run),
            root.timeline(run),
            root.page(run),
            root.card(run),
            root.tensorboard / run,
        ):
            if os.path.lexists(path):
                yield path


def _folders(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (each for each in path.iterdir() if each.is_dir() and not each.is_symlink())


def _files_of(path: Path) -> Iterator[Path]:
    if path.is_dir() and not path.is_symlink():
        for folder, _, names in os.walk(path):
            yield from (Path(folder, name) for name in names)
    elif path.is_symlink() or path.exists():
        yield path


def _files(version: pushed.PushedVersion) -> Mapping[str, Any]:
    return dict((version.manifest or {}).get("files", {}))
