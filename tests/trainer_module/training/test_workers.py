"""Several processes train together, through run_fn, on numbers that nothing divides."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests import processes
from tests.trainer_module import small
from trainer_module.settings.trainer import TrainerSettings
from trainer_module.training import backup

pytestmark = pytest.mark.slow

SETTINGS = small.SETTINGS.model_copy(update={"epochs": 3, "ema_momentum": 0.5})


def train(transformed, folder: str, settings: TrainerSettings, epochs: int) -> None:
    """Trains in a folder that no other process sees; fails after so many epochs."""
    save = backup.Backup.save

    def interrupted(self, history, **output) -> None:
        save(self, history, **output)
        if len(history) == epochs < settings.epochs:
            raise KeyboardInterrupt

    backup.Backup.save = interrupted
    try:
        small.run(transformed, Path(folder), settings)
    except KeyboardInterrupt:
        return


def train_together(tasks, transformed, folder: Path, *, batch_size: int, epochs: int = 3) -> None:
    settings = SETTINGS.model_copy(update={"batch_size": batch_size, "strategy": "multi_worker"})
    with processes.cluster(*tasks) as environments:
        processes.run(
            train,
            *(
                {
                    "environment": environment,
                    "transformed": transformed,
                    "folder": str(folder / str(index)),
                    "settings": settings,
                    "epochs": epochs,
                }
                for index, environment in enumerate(environments)
            ),
        )


def train_alone(transformed, folder: Path, *, batch_size: int) -> None:
    settings = SETTINGS.model_copy(update={"batch_size": batch_size, "strategy": "cpu"})
    small.run(transformed, folder, settings)


def assert_same_model(folder: Path, expected: Path) -> None:
    """Figures and probabilities agree as far as sums in another order do."""
    record, other = (
        json.loads((each / "model" / "assets.extra" / "model.json").read_text())
        for each in (folder, expected)
    )
    for name in ("loss", "val_loss"):
        assert record["training"][name] == pytest.approx(other["training"][name], rel=1e-3)
    for name in ("auc", "val_auc"):
        assert record["training"][name] == pytest.approx(other["training"][name], abs=0.02)
    assert record["training"]["best_epoch"] == other["training"]["best_epoch"]
    pixels = np.random.default_rng(3).random((8, 160, 160, 1), np.float32)
    mine, its = (
        tf.saved_model.load(str(each / "model")).signatures["serve_pixels"](image_xf=pixels)
        for each in (folder, expected)
    )
    np.testing.assert_allclose(mine["probability"], its["probability"], atol=5e-3)


def assert_nothing_written(folder: Path) -> None:
    """A worker that is not the chief leaves an empty folder, by which TFX sees that it ended."""
    assert not list((folder / "model").iterdir())
    assert not (folder / "run").exists()
    assert not (folder / "backups").exists()


@pytest.mark.parametrize("tasks", [("worker", "worker"), ("chief", "worker")])
def test_two_workers_train_as_one_on_the_doubled_batch(transformed, tmp_path, tasks):
    # 48 images in steps of 22 leave 4 out, 19 images to evaluate are padded to 22.
    train_together(tasks, transformed, tmp_path, batch_size=11)
    train_alone(transformed, tmp_path / "alone", batch_size=22)
    assert_same_model(tmp_path / "0", tmp_path / "alone")
    assert_nothing_written(tmp_path / "1")


def test_three_workers_without_a_shared_folder_resume_as_one_that_was_not_interrupted(
    transformed, tmp_path
):
    tasks = ("chief", "worker", "worker")
    # More than a third of the images: each takes 16 of 48, and of 19 to evaluate.
    train_together(tasks, transformed, tmp_path, batch_size=20, epochs=2)
    assert not (tmp_path / "0" / "model").exists()
    # The chief has what it resumes from, the workers have nothing.
    assert [path.name for path in tmp_path.iterdir()] == ["0"]
    train_together(tasks, transformed, tmp_path, batch_size=20)
    train_alone(transformed, tmp_path / "alone", batch_size=48)
    assert_same_model(tmp_path / "0", tmp_path / "alone")
    assert_nothing_written(tmp_path / "1")
    assert_nothing_written(tmp_path / "2")
