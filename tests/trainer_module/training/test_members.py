import numpy as np
import pytest
import tensorflow as tf

from tests.trainer_module import small
from trainer_module.networks import building
from trainer_module.settings.trainer import WORST_SHIFT
from trainer_module.training import members
from trainer_module.training.kept_folder import KeptFolder
from transform_module.contract import IMAGE_SIZE
from transform_module.images.shifts import SHIFTS


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """Trains members without an epoch; returns them."""

    def fit(job, where, learnt, unseen, **_):
        model = building.build(
            job.settings, size=IMAGE_SIZE, synchronized=False, precision="float32"
        )
        return model, [{"val_auc": 0.5}]

    monkeypatch.setattr(members, "fit", fit)

    def train(folds, **changes):
        settings = small.SETTINGS.model_copy(update={"folds": folds, **changes})
        for name in ("", *(f"member-{number}" for number in range(1, folds + 1))):
            (tmp_path / "backup" / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "logs").mkdir()
        return members.train(
            small.job(tmp_path, settings),
            tf.distribute.get_strategy(),
            small.images(12),
            small.images(6, seed=1),
            KeptFolder(tmp_path / "backup"),
            tmp_path / "logs",
        )

    return train


def test_one_model_predicts_the_images_that_it_was_not_trained_on(trained):
    (member,) = trained(1)
    unseen = small.images(6, seed=1)
    model = members.assemble(small.job(member.weights.parent), [member])
    expected, labels = members.predict(model, [unseen], 4)
    np.testing.assert_array_equal(member.predictions.labels, labels)
    np.testing.assert_array_equal(member.predictions.patients, unseen.patients)
    np.testing.assert_allclose(member.predictions.probabilities, expected, atol=1e-6)
    assert member.train_images == 12


def test_the_folds_that_members_predict_are_all_images_once(trained):
    found = trained(3)
    assert sum(len(member.predictions.labels) for member in found) == 18
    for member in found:
        assert member.train_images + len(member.predictions.labels) == 18


def test_by_the_worst_shift_each_member_also_predicts_its_fold_shifted(trained):
    """Calibration, threshold and triage see each image and its shifted copies, of one patient."""
    found = trained(3, select_by=WORST_SHIFT)
    views = 1 + len(SHIFTS)
    assert sum(len(member.predictions.labels) for member in found) == 18 * views
    assert sum(member.eval_images for member in found) == 18
    for member, following in zip(found, [*found[1:], found[0]], strict=True):
        assert len(member.predictions.of_next) == len(following.predictions.labels)
        # An odd patient of the small images has PNEUMONIA.
        odd = [int(patient) % 2 for patient in member.predictions.patients]
        assert odd == member.predictions.labels.tolist()
