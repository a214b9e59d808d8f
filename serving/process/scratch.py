"""Temporary files in one folder, which never outlives its process for longer than the next call.

Temporary folders hold images of patients: what a component unpacks, copies of remote artifacts,
shards that Beam is writing. A process that is killed cannot remove them, and a folder that all
users share is not swept for weeks.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from serving.process.interrupts import held
from transform_module.errors import UserError

_VARIABLE: Final = "TMPDIR"
"""What this process's children and C++ libraries read."""

LOCKED: Final = "CXR_SCRATCH"
"""The variable by which children know the folder that their parent keeps locked while it lives."""


def of_user() -> Path:
    """Returns the folder of all temporary files of this user's commands.

    Raises:
        UserError: another user owns it, who could read what is put there.
    """
    folder = Path(tempfile.gettempdir(), f"cxr-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or not folder.is_dir() or folder.is_symlink():
        raise UserError(
            f"{folder} belongs to another user. Remove it, or set {_VARIABLE} to a folder of yours."
        )
    folder.chmod(0o700)
    return folder


@contextlib.contextmanager
def scratch(base: Path) -> Iterator[Path]:
    """Has temporary files made in a private folder under a base, and removes it.

    What processes left there that were killed is removed first.

    Args:
        base: made where needed; nothing else may be kept in it.

    Yields:
        The folder. `tempfile` and TMPDIR lead to it meanwhile.
    """
    with held():
        folder, lock = _claim(base)
        former = tempfile.tempdir, {name: os.environ.get(name) for name in (_VARIABLE, LOCKED)}
        _lead_to(str(folder), {_VARIABLE: str(folder), LOCKED: str(folder)})
    try:
        yield folder
    finally:
        with held():
            _lead_to(*former)
            # A thread of a library may still be writing.
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _claim(base: Path) -> tuple[Path, int]:
    """Makes a folder that is locked while this process lives, after removing the dead ones'."""
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    gate = os.open(base, os.O_RDONLY)
    try:
        # Nobody sweeps between the making of a folder and its locking.
        fcntl.flock(gate, fcntl.LOCK_EX)
        for left in base.iterdir():
            _remove_if_dead(left)
        folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=base))
        return folder, _lock(folder)
    finally:
        os.close(gate)


def _lock(folder: Path) -> int:
    """Locks a folder until the descriptor is closed or the process dies, however it dies.

    Raises:
        BlockingIOError: a living process has locked it.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _remove_if_dead(left: Path) -> None:
    with contextlib.suppress(OSError):  # It is locked, or cannot be removed; it harms nobody.
        if left.is_symlink() or not left.is_dir():
            left.unlink()
            return
        lock = _lock(left)
        try:
            shutil.rmtree(left, ignore_errors=True)
        finally:
            os.close(lock)


def _lead_to(folder: str | None, variables: Mapping[str, str | None]) -> None:
    tempfile.tempdir = folder
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
