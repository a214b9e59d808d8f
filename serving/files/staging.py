"""A folder that appears whole or not at all, whenever the process is killed.

Everything is written beside it, into ``.NAME.partial/new``, and renamed into place. The former
folder waits in ``.NAME.partial/former`` meanwhile: whoever comes next puts it back where the
process was killed between the two renames, and sweeps what was left.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from serving.process.interrupts import held
from transform_module.errors import UserError


@contextlib.contextmanager
def staged(out: Path) -> Iterator[Path]:
    """Yields an empty folder to write into, until `publish`.

    Args:
        out: the folder that shall appear.

    Yields:
        The folder to write into. It is removed at the end where it was not published.

    Raises:
        UserError: another process writes to ``out`` right now.
    """
    work = out.parent / f".{out.name}.partial"
    out.parent.mkdir(parents=True, exist_ok=True)
    with locked(work, out):
        _restore(work, out)
        for left in work.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        new = work / "new"
        new.mkdir()
        try:
            yield new
        finally:
            with held():
                _restore(work, out)
                shutil.rmtree(work, ignore_errors=True)


def publish(new: Path, out: Path) -> None:
    """Puts the folder that `staged` gave into place, over the former one."""
    with held():
        if out.exists():
            os.rename(out, new.parent / "former")
        os.rename(new, out)


@contextlib.contextmanager
def locked(work: Path, out: Path) -> Iterator[None]:
    """Keeps other processes from an output, until the end of the block or of this process.

    Args:
        work: the folder that is locked; made where it is missing. Who holds it may remove it.
        out: what is written, as messages name it.

    Raises:
        UserError: another process holds the lock.
    """
    # The kernel frees the lock when the process dies, however it dies.
    while True:
        work.mkdir(exist_ok=True)
        descriptor = os.open(work, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise UserError(
                f"Another process is writing {out} right now. Wait for it, or choose another place."
            ) from None
        # The process before may have removed the folder between opening and locking it.
        if work.exists() and os.path.samestat(os.fstat(descriptor), os.stat(work)):
            break
        os.close(descriptor)
    try:
        yield
    finally:
        os.close(descriptor)


def _restore(work: Path, out: Path) -> None:
    former = work / "former"
    if former.exists() and not out.exists():
        os.rename(former, out)
