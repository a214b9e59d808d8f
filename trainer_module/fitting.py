"""One training, from its first epoch or the one where it was interrupted, to its best weights."""

import gc
import logging
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import tensorflow as tf

from trainer_module import data, history, models, schedule
from trainer_module.backup import Backup
from trainer_module.history import Epoch
from trainer_module.job import Job
from trainer_module.profile import profiled
from trainer_module.steps import Steps

_log = logging.getLogger(__name__)


def fit(
    job: Job,
    where: tf.distribute.Strategy,
    train: data.Pictures,
    evaluation: data.Pictures,
    *,
    backup_dir: Path,
    log_dir: Path,
    tell: Callable[..., None] = _log.info,
) -> tuple[keras.Model, list[Epoch]]:
    """Trains until all epochs are done or `patience` of them were in vain.

    Args:
        job: settings and seed.
        where: the strategy.
        train: what is learnt from.
        evaluation: what decides which epoch was best.
        backup_dir: an interrupted training goes on from what it left here.
        log_dir: gets ``history.csv``, and TensorBoard's event files and profile.
        tell: is given a line at the start and after each epoch, as `logging` takes it.

    Returns:
        The model with the best epoch's weights, and the figures of each epoch.
    """
    # What an earlier training of this process held refers to itself in circles.
    gc.collect()
    settings = job.settings
    replicas = where.num_replicas_in_sync
    batch_size = min(settings.batch_size, train.count // replicas)
    steps_per_epoch = train.count // (batch_size * replicas)
    steps = Steps(
        where,
        partial(models.build, settings, synchronized=replicas > 1, precision=settings.precision),
        settings,
        learning_rate=schedule.learning_rate(settings, steps_per_epoch),
        global_batch_size=batch_size * replicas,
    )
    worker = where.cluster_resolver.task_id if where.cluster_resolver else 0
    backup = Backup(backup_dir, steps, worker=worker or 0)
    epochs = backup.restore()
    tell(
        "%s, %s parameters, %d + %d pictures, %d replica(s) of batch %d, %s%s",
        settings.model,
        f"{steps.model.count_params():,}",
        train.count,
        evaluation.count,
        replicas,
        batch_size,
        settings.precision,
        f", going on after epoch {len(epochs)}" if epochs else "",
    )
    board = tf.summary.create_file_writer(str(log_dir))
    for index, figures in enumerate(epochs):
        _to_tensorboard(board, index, figures)
    through = partial(profiled, log_dir=log_dir, steps=steps_per_epoch) if job.profile else iter
    while not history.is_over(
        epochs, settings.monitor, epochs=settings.epochs, patience=settings.patience
    ):
        started = time.monotonic()
        trained = steps.train(
            data.training_batches(
                train,
                batch_size=batch_size,
                epoch=len(epochs),
                seed=job.seed,
                augmentation=settings.augmentation,
                balance=settings.balance,
            ),
            head_only=len(epochs) < models.frozen_epochs(settings),
            through=through,
        )
        through = iter
        evaluated = steps.evaluate(
            data.evaluation_batches(evaluation, batch_size=batch_size, multiple_of=replicas)
        )
        epochs.append({**trained, **{f"val_{name}": value for name, value in evaluated.items()}})
        is_best = history.best_epoch(epochs, settings.monitor) == len(epochs) - 1
        backup.save(epochs, is_best=is_best)
        _to_tensorboard(board, len(epochs) - 1, epochs[-1])
        tell(
            "epoch %2d/%d  %s  %.0f s%s",
            len(epochs),
            settings.epochs,
            "  ".join(f"{name} {value:.4f}" for name, value in epochs[-1].items()),
            time.monotonic() - started,
            "  best" if is_best else "",
        )
    backup.restore_best()
    history.write(log_dir / history.FILE, epochs)
    return steps.averaged, epochs


def _to_tensorboard(board: tf.summary.SummaryWriter, epoch: int, figures: Epoch) -> None:
    with board.as_default(step=epoch):
        for name, value in figures.items():
            tf.summary.scalar(name, value)
    board.flush()
