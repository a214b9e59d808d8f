"""Training of one model, or of a member of an ensemble for each fold of the patients."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer_module.decision import out_of_fold
from trainer_module.decision.out_of_fold import Predictions
from trainer_module.input import batches, folds
from trainer_module.input.shifted import views
from trainer_module.job import Job
from trainer_module.networks import building, ensemble
from trainer_module.training import history, strategy
from trainer_module.training.history import Epoch
from trainer_module.training.kept_folder import KeptFolder
from trainer_module.training.loop import fit

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Member:
    """One training's outcome.

    Attributes:
        epochs: the figures of each epoch.
        train_images: number of training images.
        eval_images: number of held-out images.
        predictions: before calibration.
        weights: file that keeps the model.
    """

    epochs: list[Epoch]
    train_images: int
    eval_images: int
    predictions: Predictions
    weights: Path


def train(
    job: Job,
    where: tf.distribute.Strategy,
    images: batches.Images,
    evaluation: batches.Images,
    backup: KeptFolder,
    log_dir: Path,
) -> list[Member]:
    """Trains one model, or each fold's; their weights wait on disk until all are trained.

    Returns:
        The members on the chief, none on other workers.
    """
    settings, count = job.settings, job.settings.folds
    parts = folds.split(images, evaluation, folds=count, seed=job.seed)
    held_out = [views(unseen, settings, job.transform) for _, unseen in parts]
    members = []
    for number, ((learnt, unseen), seen) in enumerate(zip(parts, held_out, strict=True), start=1):
        inside = "" if count == 1 else f"member-{number}"
        if inside:
            _LOG.info("member %d of %d", number, count)
        seed = job.seed + number - 1
        keras.utils.set_random_seed(seed)
        model, epochs = fit(
            replace(job, seed=seed),
            where,
            learnt,
            seen,
            backup=backup / inside,
            log_dir=log_dir / inside,
        )
        if not strategy.is_chief(where):
            continue
        # Free of the strategy that trained the weights, and in float32, as it will be served.
        served = building.build(
            settings, size=job.transform.size, synchronized=False, precision="float32"
        )
        served.set_weights(model.get_weights())
        weights = backup.path / inside / "member.weights.h5"
        served.save_weights(weights)
        raw, labels = predict(served, seen, settings.batch_size)
        of_next = raw
        if count > 1:
            of_next, _ = predict(served, held_out[number % count], settings.batch_size)
        patients = np.concatenate([images.patients for images in seen])
        predictions = Predictions(raw, labels, patients, of_next)
        members.append(Member(epochs, learnt.count, unseen.count, predictions, weights))
    if len(members) > 1:
        history.write_members(log_dir / history.FILE, [member.epochs for member in members])
    return members


def assemble(job: Job, members: Sequence[Member]) -> keras.Model:
    """Builds what is served, with a graph of its own."""
    served = []
    for member in members:
        served.append(
            building.build(
                job.settings, size=job.transform.size, synchronized=False, precision="float32"
            )
        )
        served[-1].load_weights(member.weights)
    return served[0] if len(served) == 1 else ensemble.build(served)


def figures(members: Sequence[Member], monitor: str) -> dict[str, Any]:
    """The record's figures of the training; of an ensemble, each member's figures."""
    rows = []
    for member in members:
        best = history.best_epoch(member.epochs, monitor)
        rows.append({"epochs": len(member.epochs), "best_epoch": best + 1, **member.epochs[best]})
    if len(rows) == 1:
        return rows[0]
    images = [
        {"train_pictures": member.train_images, "eval_pictures": member.eval_images}
        for member in members
    ]
    return {
        "agreement": out_of_fold.agreement([member.predictions for member in members]),
        "epochs": sum(each["epochs"] for each in rows),
        "members": [{**counts, **each} for counts, each in zip(images, rows, strict=True)],
    }


def predict(
    model: keras.Model, views: Sequence[batches.Images], batch_size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Predicts images with a model.

    Returns:
        Probability [N] float32, before calibration, and label [N] int, view after view.
    """
    call = tf.function(partial(model, training=False))
    probabilities, labels = [], []
    for images in views:
        for pixels, label, weight in batches.evaluation_batches(images, batch_size=batch_size):
            counts = weight.numpy() > 0
            probabilities.append(call(pixels).numpy()[counts, 0])
            labels.append(label.numpy()[counts].astype(int))
    return np.concatenate(probabilities), np.concatenate(labels)
