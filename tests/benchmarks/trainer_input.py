"""What the trainer is fed with, of a folder of Transform's output (Split-train inside)."""

from pathlib import Path

import tensorflow as tf

from trainer_module import data
from trainer_module.settings import TrainerSettings


def read(examples: Path) -> data.Images:
    """Reads the training split."""
    return data.read(sorted(map(str, (examples / "Split-train").glob("*.gz"))))


def epoch_of(images: data.Images, settings: TrainerSettings, epoch: int) -> tf.data.Dataset:
    """The batches of one epoch, as a training has them."""
    return data.training_batches(
        images,
        batch_size=settings.batch_size,
        epoch=epoch,
        seed=1,
        augmentation=settings.augmentation,
        balance=settings.balance,
    )
