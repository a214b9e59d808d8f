"""A folder that appears whole or not at all, on this machine or in a store.

On this machine it is renamed, see `staging`. A store renames nothing: its folder is written under a
name of its own beside the one that shall appear, and copied by the store. It counts by one file,
its record, which holds the sums of the others: the former record is removed before any file is
replaced, and the new one is written last. Whoever reads in between finds a folder without a record,
or files that differ from the record that was read before. Two processes that publish at the same
time take turns, see `claim`.
"""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from serving.files import staging
from transform_module.errors import UserError
from transform_module.files.place import Place, names_below
from transform_module.files.store_path import StorePath


@contextmanager
def staged(out: Place) -> Iterator[Place]:
    """Yields an empty folder to write into, until `publish`.

    It is in a folder that has nothing else and is removed at the end.

    Args:
        out: the folder that shall appear.

    Raises:
        UserError: another process of this machine writes to ``out`` right now, or ``out`` is a
            whole bucket.
    """
    if isinstance(out, StorePath):
        with _staged_in_store(out) as stored:
            yield stored
    else:
        with staging.staged(out) as new:
            yield new


def publish(new: Place, out: Place, record: str) -> None:
    """Puts the folder that `staged` gave into place, over the former one.

    Args:
        new: the folder.
        out: where it shall appear.
        record: the file that says what the others are.

    Raises:
        UserError: another process publishes there, or the store fails.
    """
    if isinstance(new, StorePath) and isinstance(out, StorePath):
        _copy(new, out, record, lambda: None)
    elif isinstance(new, Path) and isinstance(out, Path):
        staging.publish(new, out)


def update(new: Place, out: Place, record: str, check: Callable[[], None]) -> None:
    """Replaces some files of a folder, the record last.

    Args:
        new: a folder that holds them alone.
        out: the folder.
        record: see `publish`.
        check: raises an error if the other files are not those that were looked at.

    Raises:
        UserError: see `publish`.
    """
    if isinstance(new, StorePath) and isinstance(out, StorePath):
        _copy(new, out, record, check)
        return
    names = names_below(new)
    for name in (*(name for name in names if name != record), record):
        os.replace(str(new / name), str(out / name))


@contextmanager
def _staged_in_store(out: StorePath) -> Iterator[StorePath]:
    if out.parent == out:
        raise UserError(f"{out} is a whole bucket. Name a folder in it, such as {out}/data.")
    work = out.with_name(f"{out.name}.partial-{uuid.uuid4().hex}")
    try:
        yield work / "new"
    finally:
        work.sweep()


def _copy(new: StorePath, out: StorePath, record: str, check: Callable[[], None]) -> None:
    from serving.files.claim import claimed

    names = names_below(new)
    folders = {name.partition("/")[0] for name in names if "/" in name}
    with out.failing("written"), claimed(str(out)) as claim:
        check()
        (out / record).unlink(missing_ok=True)
        for name in names_below(out):
            if name.partition("/")[0] in folders and name not in names:
                (out / name).unlink()
        for name in names:
            if name != record:
                (out / name).copy_from(new / name)
        claim.require()
        (out / record).copy_from(new / record)
