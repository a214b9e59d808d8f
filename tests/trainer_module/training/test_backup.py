from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer_module.training import strategy
from trainer_module.training.backup import Backup
from trainer_module.training.kept_folder import KeptFolder

ALONE = tf.distribute.get_strategy()
EPOCHS = [{"val_auc": 0.6}, {"val_auc": 0.8}, {"val_auc": 0.7}]


def steps():
    """What a backup reads of Steps: all variables, and the model that is evaluated."""
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    variables = [*model.variables, *optimizer.variables]
    return SimpleNamespace(averaged=model, variables=variables)


def set_state(steps, value):
    for variable in steps.variables:
        variable.assign(np.full(variable.shape, value))


def state(steps):
    return {float(np.max(variable.numpy())) for variable in steps.variables}


@pytest.fixture
def saved(tmp_path):
    """Three epochs, the second of them the best."""
    trained = steps()
    backup = Backup(KeptFolder(tmp_path), trained, ALONE)
    for epoch in (1, 2, 3):
        set_state(trained, epoch)
        backup.save(EPOCHS[:epoch], is_best=epoch < 3)
    return tmp_path


def test_a_new_training_has_nothing_to_continue_from(tmp_path):
    fresh = steps()
    set_state(fresh, 7)
    assert Backup(KeptFolder(tmp_path), fresh, ALONE).restore() == []
    assert state(fresh) == {7}


def test_a_training_continues_from_its_last_epoch(saved):
    resumed = steps()
    assert Backup(KeptFolder(saved), resumed, ALONE).restore() == EPOCHS
    assert state(resumed) == {3}


def test_the_best_epochs_weights_come_back(saved):
    resumed = steps()
    Backup(KeptFolder(saved), resumed, ALONE).restore_best()
    assert [float(np.max(weight)) for weight in resumed.averaged.get_weights()] == [2, 2]


def test_only_the_latest_state_takes_room(saved):
    assert len(list((saved / "state").glob("*.index"))) == 1
    assert len(list((saved / "best").glob("*.index"))) == 1


def test_a_kill_between_history_and_state_forgets_the_unfinished_epoch(saved, monkeypatch):
    killed = steps()
    backup = Backup(KeptFolder(saved), killed, ALONE)
    backup.restore()

    def kill(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(backup._epochs, "assign", kill, raising=False)
    with pytest.raises(KeyboardInterrupt):
        backup.save([*EPOCHS, EPOCHS[0]], is_best=False)
    assert Backup(KeptFolder(saved), steps(), ALONE).restore() == EPOCHS


def test_a_worker_that_is_not_the_chief_writes_nothing(saved, tmp_path, monkeypatch):
    monkeypatch.setattr(strategy, "is_chief", lambda _: False)
    other = Backup(KeptFolder(tmp_path / "other"), steps(), ALONE)
    other.save(EPOCHS, is_best=True)
    other.restore_best()
    assert not (tmp_path / "other").exists()
