"""One process at a time that publishes in a remote folder, where there are no locks.

Object stores can create an object only where it is absent, but neither TensorFlow's file systems
nor Arrow's pass that on: `tf.io.gfile.rename` without ``overwrite`` looks first and renames then.
What every store of today offers is that a list names each object whose writing has ended. So
whoever wants to publish writes an object of a unique name, lists, and continues only if there is no
other. Of two at the same time, the one that lists last sees the other claim and withdraws its own.
Both may do so; they try again after times that differ. No clock of a machine decides.
"""

import contextlib
import json
import logging
import os
import random
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import tensorflow as tf

from transform_module.errors import UserError
from transform_module.files import remote

_PREFIX: Final = ".claim-"
_ATTEMPTS: Final = 7
_FIRST_WAIT_SECONDS: Final = 1.0

# By the times that the store gives its objects. Publishing takes minutes.
_ABANDONED_SECONDS: Final = 3600

_LOG = logging.getLogger(__name__)


class Claim:
    """The claim of one process on a remote folder.

    Attributes:
        path: its object.
    """

    def __init__(self, folder: str) -> None:
        """Has no object yet.

        Args:
            folder: the remote folder.
        """
        self.path = f"{folder}/{_PREFIX}{uuid.uuid4().hex}"
        self._folder = folder

    def write(self) -> None:
        """Writes the object, which names this process for people."""
        content = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        remote.write(self.path, json.dumps(content) + "\n")

    def others(self) -> list[str]:
        """Lists the objects of other claims; those that were abandoned are removed.

        Raises:
            UserError: the store does not list this claim, and so may leave out others, too.
        """
        names = [name for name in remote.names(self._folder) if name.startswith(_PREFIX)]
        paths = {f"{self._folder}/{name}" for name in names}
        mine = remote.modified(self.path)
        if self.path not in paths or mine is None:
            raise UserError(
                f"{self._folder}: the store does not list an object right after it was written. "
                "Processes that publish at the same time would not see each other, so nothing was "
                "published. Use a store that does, or a volume."
            )
        found = []
        for path in sorted(paths - {self.path}):
            since = remote.modified(path)
            if since is None:
                continue
            if (mine - since) / 1e9 <= _ABANDONED_SECONDS:
                found.append(path)
                continue
            _LOG.warning("The claim %s of a process that did not end is removed.", path)
            with contextlib.suppress(*remote.NOT_FOUND):
                remote.remove(path)
        return found

    def require(self) -> None:
        """Checks that the claim still holds.

        Raises:
            UserError: another process took this one for abandoned.
        """
        if remote.modified(self.path) is None:
            raise UserError(
                f"{self._folder}: this took so long that another process removed its claim. "
                "Nothing was published. Run again."
            )

    def withdraw(self) -> None:
        """Removes the object."""
        try:
            remote.remove(self.path)
        except remote.NOT_FOUND:
            return
        except (OSError, tf.errors.OpError) as error:
            _LOG.warning("%s cannot be removed (%s); remove it by hand.", self.path, error)


@contextmanager
def claimed(folder: str) -> Iterator[Claim]:
    """Holds a remote folder until the block ends.

    Args:
        folder: the remote folder; made where it is not there.

    Yields:
        The claim, to be checked by `Claim.require` right before what is published can be seen.

    Raises:
        UserError: another process holds the folder.
        OSError, tf.errors.OpError: the folder cannot be read or written.
    """
    claim = _claim(folder)
    try:
        yield claim
    finally:
        claim.withdraw()


def _claim(folder: str) -> Claim:
    others: list[str] = []
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_FIRST_WAIT_SECONDS * 2**attempt * random.uniform(0.5, 1))
        claim = Claim(folder)
        try:
            claim.write()
            others = claim.others()
        except BaseException:
            claim.withdraw()
            raise
        if not others:
            return claim
        claim.withdraw()
    raise UserError(
        f"{folder}: another process publishes there ({others[0]}, {_holder(others[0])}). Wait "
        "until it has finished, and run again. If none is running, remove that object."
    )


def _holder(path: str) -> str:
    try:
        with remote.opened(path) as file:
            held = json.loads(file.read())
        return f"by {held['host']} since {held['since']}"
    except (OSError, tf.errors.OpError, ValueError, KeyError, TypeError):
        return "which does not say whose it is"
