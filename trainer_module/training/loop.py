"""One training, from its first epoch or the one where it was interrupted, to its best weights."""

import gc
import logging
import time
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import keras
import tensorflow as tf

from trainer_module.input import batches as data
from trainer_module.job import Job
from trainer_module.networks import building
from trainer_module.settings.trainer import WORST_SHIFT
from trainer_module.training import history, schedule, strategy
from trainer_module.training.backup import Backup
from trainer_module.training.history import Epoch
from trainer_module.training.kept_folder import KeptFolder
from trainer_module.training.profile import profiled
from trainer_module.training.steps import NotFiniteError, Steps
from trainer_module.training.worst_pair import worst_pair
from trainer_module.training_error import DivergedError, TrainingError
from transform_module.text import count

_LOG = logging.getLogger(__name__)


def fit(
    job: Job,
    where: tf.distribute.Strategy,
    train: data.Images,
    evaluations: Sequence[data.Images],
    *,
    backup: KeptFolder,
    log_dir: Path,
    log: Callable[..., None] = _LOG.info,
) -> tuple[keras.Model, list[Epoch]]:
    """Trains until all epochs are done or `patience` of them were in vain.

    Args:
        job: settings and seed.
        where: the strategy.
        train: the training split.
        evaluations: what decides which epoch was best: held-out images, and views of these, of
            which the worst counts. The figures ``val_`` are those of the first.
        backup: an interrupted training resumes from this folder; the chief's counts.
        log_dir: gets ``history.csv``, and TensorBoard's event files and profile.
        log: is given a line at the start and after each epoch, as `logging` takes it.

    Returns:
        The model with the best epoch's weights, and the figures of each epoch.

    Raises:
        TrainingError: there are fewer images than replicas, the workers read different images, or
            the training diverged.
    """
    # What an earlier training of this process held refers to itself in circles.
    gc.collect()
    settings = job.settings
    replicas = where.num_replicas_in_sync
    _require_equal_data(where, train, evaluations[0])
    if train.count < replicas:
        raise TrainingError(
            f"{count(train.count, 'training image')} cannot be shared by {replicas} replicas; train"
            " on fewer workers or devices, or on more images."
        )
    batch_size = min(settings.batch_size, train.count // replicas)
    steps_per_epoch = train.count // (batch_size * replicas)
    steps = Steps(
        where,
        partial(
            building.build,
            settings,
            size=job.transform.size,
            synchronized=replicas > 1,
            precision=settings.precision,
        ),
        settings,
        learning_rate=schedule.learning_rate(settings, steps_per_epoch),
        global_batch_size=batch_size * replicas,
    )
    state = Backup(backup, steps, where)
    epochs = state.restore()
    log(
        "%s, %s parameters, %d + %d images, %s of batch %d, %s%s",
        settings.model,
        f"{steps.model.count_params():,}",
        train.count,
        evaluations[0].count,
        count(replicas, "replica"),
        batch_size,
        settings.precision,
        f", resuming after epoch {len(epochs)}" if epochs else "",
    )
    board = tf.summary.create_file_writer(str(log_dir))
    for index, figures in enumerate(epochs):
        _to_tensorboard(board, index, figures)
    through = partial(profiled, log_dir=log_dir, steps=steps_per_epoch) if job.profile else iter
    while not history.is_over(
        epochs, settings.criterion, epochs=settings.epochs, patience=settings.patience
    ):
        started = time.monotonic()
        head_only = len(epochs) < settings.frozen_epochs
        batches = partial(
            data.training_batches,
            train,
            batch_size,
            epoch=len(epochs),
            seed=job.seed,
            augmentation=settings.augmentation,
            balance=settings.balance,
        )
        stage = "training"
        try:
            trained = steps.train(batches, head_only=head_only, through=through)
            stage = "evaluation"
            evaluated = []
            for each in evaluations:
                found = steps.evaluate(partial(data.evaluation_batches, each, batch_size))
                evaluated.append((found, steps.shares))
        except NotFiniteError as error:
            raise DivergedError(
                f"the training diverged: in epoch {len(epochs) + 1}, step {error.step} of the"
                f" {stage}, the loss is not a finite number (learning rate"
                f" {steps.learning_rate(head_only=head_only):.3g}). Lower trainer.learning_rate,"
                " raise trainer.warmup_epochs, or limit the gradients by trainer.clip_norm=1."
            ) from error
        through = iter
        figures = {**trained, **_held_out(evaluated[0][0])}
        if settings.select_by == WORST_SHIFT:
            figures[settings.criterion] = worst_pair([shares for _, shares in evaluated])
        # A difference in the last digit would let one worker stop while another waits for it.
        epochs.append(strategy.facts_of_chief(where, figures))
        is_best = history.best_epoch(epochs, settings.criterion) == len(epochs) - 1
        state.save(epochs, is_best=is_best)
        _to_tensorboard(board, len(epochs) - 1, epochs[-1])
        log(
            "epoch %2d/%d  %s  %.0f s%s",
            len(epochs),
            settings.epochs,
            "  ".join(f"{name} {value:.4f}" for name, value in epochs[-1].items()),
            time.monotonic() - started,
            "  best" if is_best else "",
        )
    state.restore_best()
    history.write(log_dir / history.FILE, epochs)
    return steps.averaged, epochs


def _held_out(figures: Epoch) -> dict[str, float]:
    return {f"val_{name}": value for name, value in figures.items()}


def _require_equal_data(
    where: tf.distribute.Strategy, train: data.Images, evaluation: data.Images
) -> None:
    """Stops each worker where one reads other images, before it waits for the others forever."""
    facts = [
        [part.count, _digest(part), int(part.stream is not None)] for part in (train, evaluation)
    ]
    if facts != (chiefs := strategy.facts_of_chief(where, facts)):
        if [fact[:2] for fact in facts] == [fact[:2] for fact in chiefs]:
            raise TrainingError(
                "the images fit into the memory of some workers, and not of others, so that they"
                " would be read in different orders. Give each worker as much memory."
            )
        raise TrainingError(
            f"the workers read different images: this one {facts[0][0]} + {facts[1][0]}, the chief"
            f" {chiefs[0][0]} + {chiefs[1][0]}. Give each the same files, in the same order."
        )


def _digest(images: data.Images) -> int:
    return zlib.crc32(images.labels.tobytes() + b"\n".join(images.patients.tolist()))


def _to_tensorboard(board: tf.summary.SummaryWriter, epoch: int, figures: Epoch) -> None:
    with board.as_default(step=epoch):
        for name, value in figures.items():
            tf.summary.scalar(name, value)
    board.flush()
