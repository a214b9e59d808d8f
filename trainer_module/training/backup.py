"""The state of an unfinished training, so that a killed one resumes at its last epoch.

Beside what Keras's BackupAndRestore keeps (weights, optimizer) it holds the states of the random
generators, the best epoch's weights and the history: a resumed training ends as an unbroken one.

Of several workers the chief alone writes and reads, and gives the others what it read: they need
no folder that all of them see, and never resume from different epochs.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf

from trainer_module.training import history as history_file
from trainer_module.training import strategy
from trainer_module.training.backup_check import discard_damaged
from trainer_module.training.history import Epoch
from trainer_module.training.kept_folder import KeptFolder
from trainer_module.training.steps import Steps


class Backup:
    """A training's folder of checkpoints."""

    def __init__(self, folder: KeptFolder, steps: Steps, where: tf.distribute.Strategy) -> None:
        """Opens the folder, creating it where needed.

        Args:
            folder: belongs to this very training: same data, settings, seed and code. The
                chief's counts.
            steps: what is trained.
            where: the strategy. Each of its workers has to call each method.
        """
        self._folder, self._directory = folder, folder.path
        self._steps = steps
        self._where = where
        self._is_chief = strategy.is_chief(where)
        self._epochs = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._history = tf.Variable("", dtype=tf.string, trainable=False)
        self._state = tf.train.Checkpoint(
            epochs=self._epochs,
            history=self._history,
            variables=[variable.value for variable in steps.variables],
        )
        self._best = tf.train.Checkpoint(
            weights=[variable.value for variable in steps.averaged.weights]
        )
        if self._is_chief:
            self._directory.mkdir(parents=True, exist_ok=True)

    def restore(self) -> list[Epoch]:
        """Sets the variables to the last finished epoch's; returns the history up to it.

        Where a file is damaged, nothing is read, and the training begins anew.
        """
        history = strategy.facts_of_chief(self._where, self._read() if self._is_chief else [])
        if history:
            self._share(self._steps.variables)
        return list(history)

    def save(self, history: Sequence[Epoch], *, is_best: bool) -> None:
        """Keeps the present state as that of the last epoch in the history."""
        if not self._is_chief:
            return
        if is_best:
            self._manager(self._best, "best").save(len(history))
        history_file.write(self._directory / history_file.FILE, history)
        self._epochs.assign(len(history))
        self._history.assign(history_file.digest(history))
        self._manager(self._state, "state").save(len(history))
        self._folder.store()

    def restore_best(self) -> None:
        """Sets the weights of what was evaluated to the best epoch's."""
        if self._is_chief:
            best = tf.train.latest_checkpoint(str(self._directory / "best"))
            self._best.restore(best).assert_consumed()
        self._share(self._steps.averaged.weights)

    def _read(self) -> list[Epoch]:
        discard_damaged(self._directory)
        last = tf.train.latest_checkpoint(str(self._directory / "state"))
        if last is None:
            return []
        self._state.restore(last).assert_consumed()
        return history_file.read(self._directory / history_file.FILE)[: int(self._epochs.numpy())]

    def _share(self, variables: Sequence[keras.Variable]) -> None:
        """Sets each worker's variables to the chief's."""
        chiefs = strategy.of_chief(self._where, [variable.value for variable in variables])
        for variable, value in zip(variables, chiefs, strict=True):
            variable.assign(value)

    def _manager(self, checkpoint: tf.train.Checkpoint, name: str) -> tf.train.CheckpointManager:
        return tf.train.CheckpointManager(
            checkpoint, str(self._directory / name), max_to_keep=1, checkpoint_name=name
        )
