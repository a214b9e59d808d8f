"""One run at a time on a root."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from transform_module.errors import UserError

_FILE = ".lock"
_PATIENCE_SECONDS = 1.0


@contextmanager
def root_lock(root: Path) -> Iterator[None]:
    """Holds the root until the block ends, or the process, however it ends.

    Args:
        root: the folder of the runs; made if absent.

    Raises:
        UserError: if another process holds it, naming that process and since when.
    """
    root.mkdir(parents=True, exist_ok=True)
    # Opened for appending: who comes second must not wipe the holder's name.
    with (root / _FILE).open("a+") as file:
        if not _taken(file):
            raise UserError(
                f"Another run holds {root}: {_holder(root)}. Wait for it to end, stop it, or "
                "give this run another --root."
            )
        file.truncate(0)
        json.dump({"pid": os.getpid(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}, file)
        file.flush()
        yield


def holder_pid(root: Path) -> int | None:
    """The process that holds the root now, or None."""
    try:
        with (root / _FILE).open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(json.load(file)["pid"])
    except (OSError, ValueError, KeyError):
        pass
    return None


def _taken(file: TextIO) -> bool:
    """Locks the file, with some patience: a call of `holder_pid` locks it for an instant."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
        time.sleep(0.05)


def _holder(root: Path) -> str:
    try:
        holder = json.loads((root / _FILE).read_text())
        return f"process {holder['pid']}, since {holder['since']}"
    except (OSError, ValueError, KeyError):
        return "a process that has just started"
