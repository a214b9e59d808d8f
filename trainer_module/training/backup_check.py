"""Checks whether the state of an unfinished training can be read, before it is resumed."""

import logging
import shutil
from pathlib import Path
from typing import Final

import tensorflow as tf

from trainer_module.training import history as history_file

_VALUE: Final = ".ATTRIBUTES/VARIABLE_VALUE"

_LOG = logging.getLogger(__name__)


def discard_damaged(directory: Path) -> None:
    """Empties a training's folder of checkpoints where a file in it is damaged.

    TensorFlow finds a flipped or missing byte by the checksums of a checkpoint, each time that it
    reads it: the training would never finish. It begins anew instead, and comes to the same result.

    Args:
        directory: of the training; need not exist.
    """
    if not directory.is_dir():
        return
    try:
        _read(directory)
    # Damage shows as IndexError, ValueError, DataLossError and more. Whatever it is: a training
    # that begins anew loses time and nothing else.
    except Exception as error:  # noqa: BLE001
        _LOG.warning(
            "The state of the unfinished training in %s is damaged (%s). It begins anew.",
            directory,
            type(error).__name__,
        )
        shutil.rmtree(directory)
        directory.mkdir()


def _read(directory: Path) -> None:
    """Reads every byte that a training resumes from; raises if one of them is damaged."""
    for name in ("state", "best"):
        folder = directory / name
        last = tf.train.latest_checkpoint(str(folder))
        if last is None:
            if folder.is_dir() and any(folder.iterdir()):
                raise ValueError(f"{folder} has no index of its checkpoints")
            continue
        reader = tf.train.load_checkpoint(last)
        for variable in reader.get_variable_to_shape_map():
            reader.get_tensor(variable)
        if name == "state":
            epochs = int(reader.get_tensor(f"epochs/{_VALUE}"))
            history = history_file.read(directory / history_file.FILE)[:epochs]
            recorded = reader.get_tensor(f"history/{_VALUE}").decode()
            if history_file.digest(history) != recorded:
                raise ValueError(f"{history_file.FILE} is not what was saved")
