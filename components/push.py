"""Publishing a model in a push folder that servers watch."""

import fcntl
import json
import os
import platform
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from components import pushed
from components.errors import UserError

# A server takes a folder for a version when its name is a number; this is none, and hidden.
_UNFINISHED: Final = ".tmp-"
_LOCK: Final = ".lock"
# What `push` itself tells in a manifest.
_OWN: Final = ("version", "created", "versions", "files")
_PACKAGES: Final = ("tensorflow", "tfx", "keras")


def push(source: Path, folder: Path, record: dict[str, Any]) -> pushed.PushedVersion:
    """Publishes a model as the next version, in one step for whoever watches the folder.

    The files are written and synced beside the versions, under a name that no server takes, and
    renamed to the version's number at the end. What a killed push left is removed first. A model
    that is already served is not copied again.

    Args:
        source: The SavedModel's folder.
        folder: The folder of the model's versions. It is made when missing.
        record: What else the manifest tells.

    Returns:
        The version that holds the model.

    Raises:
        OSError: The folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        for leftover in folder.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(leftover)
        files = pushed.sums(source)
        current = pushed.latest(folder.parent, folder.name)
        if (
            current is not None
            and current.manifest is not None
            and current.manifest["files"] == files
            and not pushed.verify(current.path)
        ):
            return current

        version = max(int(time.time()), current.version + 1 if current else 0)
        unfinished = folder / f"{_UNFINISHED}{version}"
        shutil.copytree(source, unfinished)
        manifest = {
            "version": version,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            **record,
            "versions": _library_versions(),
            "files": files,
        }
        text = json.dumps(manifest, indent=2) + "\n"
        (unfinished / pushed.MANIFEST).write_text(text, encoding="utf-8")
        _sync_tree(unfinished)
        final = folder / str(version)
        unfinished.rename(final)
        _sync(folder)
        return pushed.PushedVersion(version, final, manifest)


def rollback(folder: Path, to: int | None = None) -> pushed.PushedVersion:
    """Publishes a former version anew, as the next one, so that every server goes back to it.

    Args:
        folder: The folder of the model's versions.
        to: The version to go back to; the last one that is another model than the present one if
            None. A version that came of a rollback stands for the one that it restored.

    Returns:
        The new version.

    Raises:
        UserError: There is no such version, it is not whole, or it is what is served already.
        OSError: The folder cannot be written.
    """
    versions = pushed.versions(folder.parent, folder.name)
    whole = [each for each in versions if each.manifest is not None]
    if not whole:
        raise UserError(f"{folder}: there is no pushed version to go back to.")
    present = whole[-1]
    if to is None:
        origin = next(each for each in whole if _files(each) == _files(present))
        former = [each for each in whole if each.version < origin.version]
        if not former:
            raise UserError(f"{folder}: there is no version before {origin.version} to go back to.")
        chosen = former[-1]
    else:
        named = [each for each in whole if each.version == to]
        if not named:
            known = ", ".join(str(each.version) for each in whole)
            raise UserError(f"{folder}: there is no version {to}. There are {known}.")
        chosen = named[0]
    if _files(chosen) == _files(present):
        raise UserError(f"{folder}: version {chosen.version} is what is served already.")
    if problems := pushed.verify(chosen.path):
        raise UserError(
            f"{problems[0]}. Version {chosen.version} is not whole; go back to another: --to."
        )
    record = {key: value for key, value in (chosen.manifest or {}).items() if key not in _OWN}
    return push(chosen.path, folder, {**record, "restores": chosen.version})


def _files(version: pushed.PushedVersion) -> dict[str, str]:
    return dict((version.manifest or {})["files"])


def _library_versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in _PACKAGES},
    }


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    # Two pushes into one folder would take each other's unfinished copy for a leftover.
    with (folder / _LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _sync_tree(root: Path) -> None:
    for path in (*root.rglob("*"), root):
        _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
