"""What the trainer is fed with, of a folder of Transform's output (Split-train inside)."""

from pathlib import Path

import tensorflow as tf

from trainer_module.input import batches
from trainer_module.settings.trainer import TrainerSettings
from transform_module.contract import IMAGE_SIZE


def read(examples: Path) -> batches.Images:
    """Reads the training split."""
    files = sorted(map(str, (examples / "Split-train").glob("*.gz")))
    return batches.read(files, IMAGE_SIZE)


def epoch_of(images: batches.Images, settings: TrainerSettings, epoch: int) -> tf.data.Dataset:
    """The batches of one epoch, as a training has them."""
    return batches.training_batches(
        images,
        batch_size=settings.batch_size,
        epoch=epoch,
        seed=1,
        augmentation=settings.augmentation,
        balance=settings.balance,
    )
