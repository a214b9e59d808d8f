"""What the Trainer runs: ``run_fn``."""

import gc
import hashlib
import json
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
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
    data,
    domain,
    export,
    folds,
    history,
    models,
    operating_point,
    out_of_fold,
    schedule,
    statistics,
    strategy,
)
from trainer_module.backup import Backup
from trainer_module.history import Epoch
from trainer_module.models import ensemble
from trainer_module.out_of_fold import Judgement
from trainer_module.profile import profiled
from trainer_module.settings import TrainerSettings
from trainer_module.steps import Steps
from trainer_module.tuner_settings import TunerSettings, chosen, in_words, values_of
from transform_module.settings import TransformSettings

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
        transform: what the pixels were made with, for the model's record.
        tuner: the search whose best settings are trained, None where there is none.
    """

    settings: TrainerSettings
    seed: int
    dataset_fingerprint: str
    code_version: str
    checkpoint_dir: str
    profile: bool = False
    transform: TransformSettings = field(default_factory=TransformSettings)
    tuner: TunerSettings | None = None

    @classmethod
    def from_custom_config(cls, config: dict[str, Any]) -> "Job":
        """Reads what `custom_config` builds."""
        told = {
            **config,
            "settings": TrainerSettings(**config["settings"]),
            "transform": TransformSettings(**config.get("transform", {})),
        }
        if tuner := config.get("tuner"):
            told["tuner"] = TunerSettings(**tuner)
        return cls(**told)

    def custom_config(self) -> dict[str, Any]:
        """Turns into plain values for the Trainer's ``custom_config``."""
        told = {
            **self.__dict__,
            "settings": self.settings.model_dump(mode="json"),
            "transform": self.transform.model_dump(mode="json"),
        }
        if self.tuner:
            told["tuner"] = self.tuner.model_dump(mode="json")
        return told


@dataclass(frozen=True)
class Member:
    """One training's outcome.

    Attributes:
        epochs: the figures of each epoch.
        train_pictures: it learnt from.
        judgement: before calibration.
        weights: file that keeps the model.
    """

    epochs: list[Epoch]
    train_pictures: int
    judgement: Judgement
    weights: Path


def run_fn(fn_args: FnArgs) -> None:
    """Trains the model, or the members of an ensemble, and exports it.

    An ensemble's calibration and operating point are fitted on each picture's out-of-fold
    probability, that of the member which did not learn from it: the calibration after these are
    drawn together as the average is (`out_of_fold`), the operating point with the wider spread of
    single members, by which the average finds at least what the target asks for. Of several
    workers each runs this, and the chief alone writes what is kept.

    Args:
        fn_args: TFX's; ``custom_config`` holds a `Job`, and ``hyperparameters`` what a Tuner
            found, which takes the place of the settings of that name. The model goes to
            ``fn_args.serving_model_dir``, the history and the TensorBoard logs to
            ``fn_args.model_run_dir``, there into a folder for each member.
    """
    job, tuning = _tuned(Job.from_custom_config(fn_args.custom_config), fn_args.hyperparameters)
    where = strategy.create(job.settings.strategy)
    transform_output = tft.TFTransformOutput(fn_args.transform_output)
    train = data.read(files(fn_args.train_files))
    evaluation = data.read(files(fn_args.eval_files))
    backup_dir = Path(job.checkpoint_dir or tempfile.mkdtemp()) / _identity(fn_args, job)
    is_chief = strategy.is_chief(where)
    log_dir = Path(fn_args.model_run_dir) if is_chief else backup_dir / "logs-of-others"

    members = _train_members(job, where, train, evaluation, backup_dir, log_dir)
    if not is_chief:
        return
    served = _assemble(job, members)
    judgements = [member.judgement for member in members]
    labels = np.concatenate([each.labels for each in judgements])
    if len(judgements) == 1:
        raw = spread = judgements[0].probabilities
    else:
        raw = out_of_fold.as_average(judgements, out_of_fold.agreement(judgements))
        spread = out_of_fold.as_average(judgements, 1.0)
    calibrated = calibration.fit(raw, labels, job.settings.calibration)
    probabilities = calibrated(tf.constant(spread)).numpy()
    threshold = operating_point.choose(probabilities, labels, job.settings.operating_point)
    is_told = probabilities >= np.float32(threshold)
    known = domain.fit(train, evaluation, job.settings.domain)
    export.export(
        served,
        transform_output,
        Path(fn_args.serving_model_dir),
        calibration=calibrated,
        domain=known,
        threshold=threshold,
        record={
            "settings": job.settings.model_dump(mode="json"),
            "transform": job.transform.model_dump(mode="json"),
            "seed": job.seed,
            "dataset_fingerprint": job.dataset_fingerprint,
            "code_version": job.code_version,
            **tuning,
            "calibration": asdict(calibrated),
            "operating_point": {
                "eval_sensitivity": _share(is_told, labels == 1),
                "eval_specificity": _share(~is_told, labels == 0),
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
                **_figures(members, job.settings.monitor),
            },
            "versions": {"tensorflow": tf.__version__, "keras": keras.__version__},
        },
    )
    statistics.write(Path(fn_args.serving_model_dir), train, probabilities)
    shutil.rmtree(backup_dir, ignore_errors=True)


def _tuned(job: Job, hyperparameters: dict[str, Any] | None) -> tuple[Job, dict[str, Any]]:
    """Returns the job with what a Tuner found, and what the record tells of it."""
    if hyperparameters is None:
        return job, {}
    assert job.tuner is not None
    values = values_of(hyperparameters)
    _log.info("the Tuner found  %s", in_words(values))
    tuning = {
        "values": values,
        "settings": job.settings.model_dump(mode="json"),
        "search": job.tuner.model_dump(mode="json"),
    }
    return replace(job, settings=chosen(job.settings, values)), {"tuning": tuning}


def _train_members(
    job: Job,
    where: tf.distribute.Strategy,
    train: data.Pictures,
    evaluation: data.Pictures,
    backup_dir: Path,
    log_dir: Path,
) -> list[Member]:
    """Trains one model, or each fold's; their weights wait on disk until all are trained.

    Returns:
        The members on the chief, none on other workers.
    """
    settings, count = job.settings, job.settings.folds
    parts = folds.split(train, evaluation, folds=count, seed=job.seed)
    members = []
    for number, (learnt, unseen) in enumerate(parts, start=1):
        inside = "" if count == 1 else f"member-{number}"
        if inside:
            _log.info("member %d of %d", number, count)
        seed = job.seed + number - 1
        keras.utils.set_random_seed(seed)
        model, epochs = fit(
            replace(job, seed=seed),
            where,
            learnt,
            unseen,
            backup_dir=backup_dir / inside,
            log_dir=log_dir / inside,
        )
        if not strategy.is_chief(where):
            continue
        # Free of the strategy that trained the weights, and in float32, as it will be served.
        served = models.build(settings, synchronized=False, precision="float32")
        served.set_weights(model.get_weights())
        weights = backup_dir / inside / "member.weights.h5"
        served.save_weights(weights)
        raw, labels = judge(served, unseen, settings.batch_size)
        of_next = raw
        if count > 1:
            of_next, _ = judge(served, parts[number % count][1], settings.batch_size)
        judgement = Judgement(raw, labels, of_next)
        members.append(Member(epochs, learnt.count, judgement, weights))
    if len(members) > 1:
        history.write_members(log_dir / "history.csv", [member.epochs for member in members])
    return members


def _assemble(job: Job, members: Sequence[Member]) -> keras.Model:
    """Builds what is served, with a graph of its own."""
    served = []
    for member in members:
        served.append(models.build(job.settings, synchronized=False, precision="float32"))
        served[-1].load_weights(member.weights)
    return served[0] if len(served) == 1 else ensemble.build(served)


def _figures(members: Sequence[Member], monitor: str) -> dict[str, Any]:
    """What the record tells of the training; of an ensemble, each member's figures."""
    told = []
    for member in members:
        best = history.best_epoch(member.epochs, monitor)
        told.append({"epochs": len(member.epochs), "best_epoch": best + 1, **member.epochs[best]})
    if len(told) == 1:
        return told[0]
    pictures = [
        {"train_pictures": member.train_pictures, "eval_pictures": len(member.judgement.labels)}
        for member in members
    ]
    return {
        "agreement": out_of_fold.agreement([member.judgement for member in members]),
        "epochs": sum(each["epochs"] for each in told),
        "members": [{**counts, **each} for counts, each in zip(pictures, told, strict=True)],
    }


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
    history.write(log_dir / "history.csv", epochs)
    return steps.averaged, epochs


def files(patterns: Sequence[str]) -> list[str]:
    """Lists the files that patterns name, each once and in the order of their names."""
    return sorted(file for pattern in patterns for file in tf.io.gfile.glob(pattern))


def _identity(fn_args: FnArgs, job: Job) -> str:
    """Names the training by all that decides its outcome, so that only it finds its backup."""
    inputs = [*files(fn_args.train_files), *files(fn_args.eval_files), fn_args.transform_output]
    decisive = replace(job, profile=False).custom_config()
    return hashlib.sha256(json.dumps([inputs, decisive]).encode()).hexdigest()[:16]


def _to_tensorboard(board: tf.summary.SummaryWriter, epoch: int, figures: Epoch) -> None:
    with board.as_default(step=epoch):
        for name, value in figures.items():
            tf.summary.scalar(name, value)
    board.flush()
