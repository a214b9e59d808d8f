"""A training small enough for tests."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from trainer_module import run as trainer
from trainer_module.input import batches
from trainer_module.job import Job
from trainer_module.models.cnn import Settings as CnnSettings
from trainer_module.settings.augmentation import AugmentationSettings
from trainer_module.settings.search import TunerSettings
from trainer_module.settings.trainer import TrainerSettings
from trainer_module.training.backup import Backup
from trainer_module.training.history import Epoch
from transform_module.contract import IMAGE_SIZE

SETTINGS = TrainerSettings(
    cnn=CnnSettings(filters=(4,), dense_units=(8,), convolution_dropout=0, dense_dropout=0),
    augmentation=AugmentationSettings(zoom=0.05, shear=0.05),
    epochs=4,
    batch_size=8,
    learning_rate=1e-3,
    warmup_epochs=0,
)


def images(count: int = 32, seed: int = 0) -> batches.Images:
    """Noise with a bright square where the label is 1."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    pixels = generator.integers(0, 128, (count, 160, 160, 1), dtype=np.uint8)
    pixels[labels == 1, 40:80, 40:80] += 100
    return images_of(pixels, labels)


def images_of(pixels: np.ndarray, labels: np.ndarray) -> batches.Images:
    """Images [N, 160, 160, 1] uint8, each of another patient."""
    dataset = tf.data.Dataset.from_tensor_slices((pixels, labels.astype(np.float32)))
    patients = np.array([b"%d" % index for index in range(len(labels))], object)
    return batches.Images(dataset, labels, patients, 0, IMAGE_SIZE)


def job(folder: Path, settings: TrainerSettings = SETTINGS, *, profile: bool = False) -> Job:
    """What the pipeline hands over."""
    return Job(settings, 7, "data", "code", str(folder), profile)


def run(
    transformed,
    folder: Path,
    settings: TrainerSettings = SETTINGS,
    *,
    tuner: TunerSettings | None = None,
    hyperparameters: dict[str, Any] | None = None,
) -> Path:
    """Trains and exports as the Trainer does; returns the SavedModel's folder."""
    message = replace(job(folder / "backups", settings), tuner=tuner)
    trainer.run_fn(
        SimpleNamespace(
            custom_config=message.custom_config(),
            transform_output=transformed.graph,
            hyperparameters=hyperparameters,
            train_files=transformed.train_files,
            eval_files=transformed.eval_files,
            serving_model_dir=str(folder / "model"),
            model_run_dir=str(folder / "run"),
        )
    )
    return folder / "model"


@contextmanager
def killed_after(epochs: int) -> Iterator[None]:
    """Kills the training of the block as soon as it has saved so many epochs."""
    save, saved = Backup.save, []

    def counted(self: Backup, history: Sequence[Epoch], **options: bool) -> None:
        save(self, history, **options)
        saved.append(len(history))
        if len(saved) == epochs:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Backup, "save", counted)
        with pytest.raises(KeyboardInterrupt):
            yield
