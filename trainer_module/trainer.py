"""What the Trainer runs: ``run_fn``."""

import hashlib
import json
import logging
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from trainer_module import (
    calibration,
    class_weights,
    data,
    domain,
    export,
    history,
    models,
    operating_point,
    schedule,
    statistics,
    strategy,
)
from trainer_module.backup import Backup
from trainer_module.history import Epoch
from trainer_module.profile import profiled
from trainer_module.settings import TrainerSettings
from trainer_module.steps import Steps

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """What the pipeline hands over in ``custom_config``.

    Attributes:
        settings: the model and its training.
        seed: of the weights, the dropout, the order and the augmentation.
        dataset_fingerprint: of the data that the examples came from, for the model's record.
        code_version: of the modules that run here, for the model's record.
        checkpoint_dir: folder for the state of unfinished trainings; an empty text is a temporary
            one, so that a training that is killed begins anew.
        profile: whether some steps of the first epoch are profiled for TensorBoard.
    """

    settings: TrainerSettings
    seed: int
    dataset_fingerprint: str
    code_version: str
    checkpoint_dir: str
    profile: bool = False

    @classmethod
    def from_custom_config(cls, config: dict[str, Any]) -> "Job":
        """Reads what `custom_config` builds."""
        return cls(**{**config, "settings": TrainerSettings(**config["settings"])})

    def custom_config(self) -> dict[str, Any]:
        """Turns into plain values for the Trainer's ``custom_config``."""
        return {**self.__dict__, "settings": self.settings.model_dump(mode="json")}


def run_fn(fn_args: FnArgs) -> None:
    """Trains the model and exports it to ``fn_args.serving_model_dir``.

    Of several workers each runs this, and the chief alone writes what is kept.

    Args:
        fn_args: TFX's; ``custom_config`` holds a `Job`. The history and the TensorBoard logs go to
            ``fn_args.model_run_dir``.
    """
    job = Job.from_custom_config(fn_args.custom_config)
    keras.utils.set_random_seed(job.seed)
    where = strategy.create(job.settings.strategy)
    transform_output = tft.TFTransformOutput(fn_args.transform_output)
    train = data.read(_files(fn_args.train_files))
    evaluation = data.read(_files(fn_args.eval_files))
    backup_dir = Path(job.checkpoint_dir or tempfile.mkdtemp()) / _identity(fn_args, job)
    is_chief = strategy.is_chief(where)

    model, epochs = fit(
        job,
        where,
        train,
        evaluation,
        backup_dir=backup_dir,
        log_dir=Path(fn_args.model_run_dir) if is_chief else backup_dir / "logs-of-others",
    )
    if not is_chief:
        return
    # The signatures get a graph of their own, free of the strategy that trained the weights.
    served = models.build(job.settings, synchronized=False, precision="float32")
    served.set_weights(model.get_weights())
    raw, labels = judge(served, evaluation, job.settings.batch_size)
    calibrated = calibration.fit(raw, labels, job.settings.calibration)
    probabilities = calibrated(tf.constant(raw)).numpy()
    threshold = operating_point.choose(probabilities, labels, job.settings.operating_point)
    told = probabilities >= np.float32(threshold)
    known = domain.fit(train, evaluation, job.settings.domain)
    best = history.best_epoch(epochs, job.settings.monitor)
    export.export(
        served,
        transform_output,
        Path(fn_args.serving_model_dir),
        calibration=calibrated,
        domain=known,
        threshold=threshold,
        record={
            "settings": job.settings.model_dump(mode="json"),
            "seed": job.seed,
            "dataset_fingerprint": job.dataset_fingerprint,
            "code_version": job.code_version,
            "calibration": asdict(calibrated),
            "operating_point": {
                "eval_sensitivity": _share(told, labels == 1),
                "eval_specificity": _share(~told, labels == 0),
            },
            "domain": {
                "threshold": known.threshold,
                "false_alarms": job.settings.domain.false_alarms,
                "eval_false_alarms": known.eval_false_alarms,
            },
            "training": {
                "class_counts": train.class_counts,
                "train_pictures": train.count,
                "eval_pictures": evaluation.count,
                "dropped_pictures": train.dropped + evaluation.dropped,
                "parameters": served.count_params(),
                "epochs": len(epochs),
                "best_epoch": best + 1,
                **epochs[best],
            },
            "versions": {"tensorflow": tf.__version__, "keras": keras.__version__},
        },
    )
    statistics.write(Path(fn_args.serving_model_dir), train, probabilities)
    shutil.rmtree(backup_dir, ignore_errors=True)


def judge(
    model: keras.Model, pictures: data.Pictures, batch_size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Asks a model about a split.

    Returns:
        Probability [N] float32, before calibration, and label [N] int, in the split's order.
    """
    predict = tf.function(partial(model, training=False))
    probabilities, labels = [], []
    for pixels, label, weight in data.evaluation_batches(pictures, batch_size=batch_size):
        counts = weight.numpy() > 0
        probabilities.append(predict(pixels).numpy()[counts, 0])
        labels.append(label.numpy()[counts].astype(int))
    return np.concatenate(probabilities), np.concatenate(labels)


def _share(told: np.ndarray, of: np.ndarray) -> float | None:
    return float(told[of].mean()) if of.any() else None


def fit(
    job: Job,
    where: tf.distribute.Strategy,
    train: data.Pictures,
    evaluation: data.Pictures,
    *,
    backup_dir: Path,
    log_dir: Path,
) -> tuple[keras.Model, list[Epoch]]:
    """Trains until all epochs are done or `patience` of them were in vain.

    Args:
        job: settings and seed.
        where: the strategy.
        train: what is learnt from.
        evaluation: what decides which epoch was best.
        backup_dir: an interrupted training goes on from what it left here.
        log_dir: gets ``history.csv``, and TensorBoard's event files and profile.

    Returns:
        The model with the best epoch's weights, and the figures of each epoch.
    """
    settings = job.settings
    replicas = where.num_replicas_in_sync
    batch_size = min(settings.batch_size, train.count // replicas)
    steps_per_epoch = train.count // (batch_size * replicas)
    counts = train.class_counts
    weights = class_weights.balanced(counts) if settings.class_weights else (1.0,) * len(counts)
    steps = Steps(
        where,
        partial(models.build, settings, synchronized=replicas > 1, precision=settings.precision),
        learning_rate=schedule.learning_rate(settings, steps_per_epoch),
        global_batch_size=batch_size * replicas,
    )
    worker = where.cluster_resolver.task_id if where.cluster_resolver else 0
    backup = Backup(backup_dir, steps, worker=worker or 0)
    epochs = backup.restore()
    _log.info(
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
                class_weights=weights,
            ),
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
        _log.info(
            "epoch %2d/%d  %s  %.0f s%s",
            len(epochs),
            settings.epochs,
            "  ".join(f"{name} {value:.4f}" for name, value in epochs[-1].items()),
            time.monotonic() - started,
            "  best" if is_best else "",
        )
    backup.restore_best()
    history.write(log_dir / "history.csv", epochs)
    return steps.model, epochs


def _files(patterns: Sequence[str]) -> list[str]:
    return sorted(file for pattern in patterns for file in tf.io.gfile.glob(pattern))


def _identity(fn_args: FnArgs, job: Job) -> str:
    """Names the training by all that decides its outcome, so that only it finds its backup."""
    inputs = [*_files(fn_args.train_files), *_files(fn_args.eval_files), fn_args.transform_output]
    decisive = replace(job, profile=False).custom_config()
    return hashlib.sha256(json.dumps([inputs, decisive]).encode()).hexdigest()[:16]


def _to_tensorboard(board: tf.summary.SummaryWriter, epoch: int, figures: Epoch) -> None:
    with board.as_default(step=epoch):
        for name, value in figures.items():
            tf.summary.scalar(name, value)
    board.flush()
