"""The metadata store's file: whether it is whole, and where it says that its artifacts are.

A run writes the file's checksum when it stops using it. A store that differs from it, or that
SQLite or ML Metadata cannot read, is set aside: it only serves the cache and the lineage of former
runs, and everything is computed again.
"""

import logging
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from ml_metadata import errors, metadata_store

from pipeline.root.metadata import connection
from transform_module.errors import UserError
from transform_module.files import intact
from transform_module.files.sync import write_text

_BESIDE: Final = ("-journal", "-wal", "-shm")
_WAIT_SECONDS: Final = 5.0
_DEPTH: Final = 3  # {artifacts}/{component}/{channel}/{execution}

_LOG = logging.getLogger(__name__)


def prepare(path: Path, artifacts: Path) -> None:
    """Makes a store ready for a run: damaged ones are set aside, moved ones find their artifacts.

    Args:
        path: the store's SQLite file; need not exist.
        artifacts: where the artifacts are now.

    Raises:
        UserError: another process holds the store, or it cannot be read or moved.
    """
    if not path.exists():
        open_for_writing(path)
        return
    if problem := _damage(path):
        aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
        try:
            for suffix in ("", *_BESIDE):
                part = path.with_name(path.name + suffix)
                if part.exists():
                    part.rename(aside.with_name(aside.name + suffix))
        except OSError as error:
            raise UserError(
                f"{path} is damaged ({problem}) and cannot be moved away: {error.strerror}. "
                "Remove it; then everything is computed again."
            ) from error
        _LOG.warning(
            "%s is damaged (%s). It is kept as %s, and everything is computed again.",
            path,
            problem,
            aside.name,
        )
    open_for_writing(path)
    if path.exists():
        _relocate(path, artifacts)


def require_whole(path: Path) -> None:
    """Refuses a damaged store, which does not know what its artifacts are needed for.

    Args:
        path: the store's SQLite file.

    Raises:
        UserError: it is damaged, or it cannot be read.
    """
    if problem := _damage(path):
        raise UserError(
            f"{path} is damaged ({problem}). The next `cxr run` sets it aside and computes "
            "everything again; clean up afterwards."
        )


def open_for_writing(path: Path) -> None:
    """Removes a store's checksum before it is written to, until `sign` writes a new one.

    Whoever is killed in between leaves a store without a checksum, which is whole.

    Args:
        path: the store's SQLite file; need not exist.
    """
    _signature(path).unlink(missing_ok=True)


def sign(path: Path) -> None:
    """Writes the checksum of a store that nothing is written to any more.

    Args:
        path: the store's SQLite file; need not exist.
    """
    if path.is_file():
        write_text(_signature(path), intact.sha256(path) + "\n")


def _signature(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _damage(path: Path) -> str:
    """Returns what is wrong with a store; empty where nothing is."""
    signature = _signature(path)
    try:
        if signature.is_file() and signature.read_text().strip() != intact.sha256(path):
            return "its checksum differs"
        with closing(sqlite3.connect(path, timeout=_WAIT_SECONDS)) as database:
            (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            return "SQLite finds errors in it"
        metadata_store.MetadataStore(connection(path)).get_artifact_types()
    except sqlite3.OperationalError as error:
        raise UserError(
            f"{path} cannot be read: {error}. Stop the process that holds it, or make it readable."
        ) from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, sqlite3.DatabaseError):
        return "SQLite cannot read it"
    except errors.StatusError:
        return "ML Metadata cannot read it"
    return ""


def _relocate(path: Path, artifacts: Path) -> None:
    """Lets the artifacts of a root that was moved or copied be found where they are now."""
    store = metadata_store.MetadataStore(connection(path))
    moved = []
    for artifact in store.get_artifacts():
        former = Path(artifact.uri)
        inside = Path(*former.parts[-_DEPTH:])
        if former.parent.parent.parent.name == artifacts.name and artifacts / inside != former:
            artifact.uri = str(artifacts / inside)
            moved.append(artifact)
    if moved:
        store.put_artifacts(moved)
        _LOG.info("%d artifacts are found under %s now", len(moved), artifacts)
