"""A folder whose content is kept elsewhere, too, for a machine that is taken away meanwhile."""

import logging
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import tensorflow as tf

from trainer_module.training_error import TrainingError
from transform_module.files import remote

_POINTER: Final = "checkpoint"
"""TensorFlow's file that names the newest checkpoint of a folder."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class KeptFolder:
    """A local folder, and the one that its content is kept in.

    Attributes:
        path: the local folder.
        elsewhere: such as s3://bucket/folder; an empty text where the local one itself lasts.
    """

    path: Path
    elsewhere: str = ""
    _stored: dict[str, tuple[int, int]] = field(default_factory=dict, compare=False, repr=False)

    def __truediv__(self, name: str) -> "KeptFolder":
        """Returns a folder within this one; itself for an empty name."""
        if not name:
            return self
        return KeptFolder(self.path / name, self.elsewhere and f"{self.elsewhere}/{name}")

    def fetch(self) -> None:
        """Makes the local folder, with what is kept.

        Raises:
            TrainingError: it cannot be read; what would begin anew may be hours of training.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        if not self.elsewhere:
            return
        try:
            remote.copy(self.elsewhere, str(self.path), remote.files(self.elsewhere))
        except (OSError, tf.errors.OpError) as error:
            raise TrainingError(
                f"{self.elsewhere}, which may hold the state of this training, cannot be read"
                f" ({_line(error)}). Repeat the run when it can."
            ) from error

    def store(self) -> None:
        """Keeps what has changed; at each moment a whole state is there.

        A training continues where that fails: the next epoch tries again.
        """
        if not self.elsewhere:
            return
        try:
            self._store()
        except (OSError, tf.errors.OpError) as error:
            _LOG.warning(
                "warning: the state of the training cannot be kept in %s (%s). The training"
                " continues; stopped now, it would resume at an earlier epoch, or begin anew.",
                self.elsewhere,
                _line(error),
            )

    def _store(self) -> None:
        local = sorted(
            (str(file.relative_to(self.path)) for file in self.path.rglob("*") if file.is_file()),
            # A pointer comes after what it points to.
            key=lambda name: (os.path.basename(name) == _POINTER, name),
        )
        for name in local:
            found = (self.path / name).stat()
            version = (found.st_mtime_ns, found.st_size)
            if self._stored.get(name) != version:
                remote.copy(str(self.path), self.elsewhere, [name])
                self._stored[name] = version
        for name in set(remote.files(self.elsewhere)) - set(local):
            remote.remove(f"{self.elsewhere}/{name}")

    def remove(self) -> None:
        """Removes the folder, here and there."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self.elsewhere:
            self._stored.clear()
            self.store()


def of(place: str, temporary: str) -> KeptFolder:
    """Makes the folder for the state of trainings.

    Args:
        place: a local folder, one elsewhere, or an empty text, where no state outlasts the process.
        temporary: a local folder for what is kept elsewhere or not at all.
    """
    if remote.is_remote(place):
        return KeptFolder(Path(temporary), place)
    return KeptFolder(Path(place or temporary))


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
