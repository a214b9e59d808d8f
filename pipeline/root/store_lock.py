"""Checks in seconds whether the metadata store can be written; ml-metadata takes minutes."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Final

import psutil

from transform_module.errors import UserError

_PATIENCE_SECONDS: Final = 5.0


def require_unlocked(path: Path) -> None:
    """Checks that no other process keeps the store from being written.

    Args:
        path: the store's SQLite file; need not exist.

    Raises:
        UserError: one does; with its process id where it is one of this user's.
    """
    if not path.exists():
        return
    try:
        with contextlib.closing(
            sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None)
        ) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return  # What else is wrong with it is not for here.
        raise UserError(
            f"{path} is locked by {_holders(path)}. Close the program that has it open, and give "
            "the same command again."
        ) from error
    except sqlite3.DatabaseError:
        return


def _holders(path: Path) -> str:
    found = []
    for process in psutil.process_iter(["pid", "name"]):
        with contextlib.suppress(psutil.Error, OSError):
            if any(Path(each.path) == path for each in process.open_files()):
                found.append(f"process {process.pid} ({process.info['name']})")
    return " and ".join(found) or "another process"
