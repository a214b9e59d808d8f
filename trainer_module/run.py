"""The Trainer's ``run_fn``."""

import hashlib
import json
import logging
import platform
import tempfile
from dataclasses import asdict, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from trainer_module.decision import domain, held_out, reference_scores, training_distributions
from trainer_module.export import saved_model
from trainer_module.input import batches
from trainer_module.input.batches import files_of
from trainer_module.job import Job
from trainer_module.settings.search import chosen, in_words, values_of
from trainer_module.training import kept_folder, members, strategy
from transform_module.files import sums

_LOG = logging.getLogger(__name__)


def run_fn(fn_args: FnArgs) -> None:
    """Trains the model, or the members of an ensemble, and exports it.

    Of several workers each runs this, and the chief alone writes what is kept.

    Args:
        fn_args: TFX's; ``custom_config`` holds a `Job`, and ``hyperparameters`` what a Tuner
            found, which takes the place of the settings of that name. The model goes to
            ``fn_args.serving_model_dir``, the history and the TensorBoard logs to
            ``fn_args.model_run_dir``, there into a folder for each member.

    Raises:
        TrainingError: the training cannot be done as it is configured, or diverged.
    """
    job, tuning = _tuned(Job.from_custom_config(fn_args.custom_config), fn_args.hyperparameters)
    where = strategy.create(job.settings.strategy)
    is_chief = strategy.is_chief(where)
    # Of several workers each decodes its share of every epoch, and nothing else.
    decode = not strategy.has_workers(where)
    train, evaluation = batches.read_splits(
        files_of(fn_args.train_files),
        files_of(fn_args.eval_files),
        job.transform.size,
        decode=decode,
    )
    model_dir = Path(fn_args.serving_model_dir)
    with tempfile.TemporaryDirectory(prefix="training-") as temporary:
        backup = kept_folder.of(job.checkpoint_dir if is_chief else "", temporary)
        backup /= _identity(fn_args, job)
        backup.fetch()
        log_dir = Path(fn_args.model_run_dir if is_chief else temporary)
        trained = members.train(job, where, train, evaluation, backup, log_dir)
        if is_chief:
            _export(fn_args, job, tuning, trained, train, evaluation)
            backup.remove()
        else:
            # The Trainer takes a worker that leaves no such folder for one that failed.
            model_dir.mkdir(parents=True, exist_ok=True)


def _export(
    fn_args: FnArgs,
    job: Job,
    tuning: dict[str, Any],
    trained: list[members.Member],
    train: batches.Images,
    evaluation: batches.Images,
) -> None:
    """Writes the model with its record and its statistics."""
    model_dir = Path(fn_args.serving_model_dir)
    served = members.assemble(job, trained)
    decided = held_out.decide([member.predictions for member in trained], job.settings)
    for warning in (*decided.warnings, *decided.triage.notes):
        _LOG.warning("warning: %s.", warning)
    known = domain.fit(train, evaluation, job.settings.domain)
    saved_model.export(
        served,
        tft.TFTransformOutput(fn_args.transform_output),
        model_dir,
        calibration=decided.calibration,
        domain=known,
        threshold=decided.threshold,
        triage=decided.triage,
        record={
            "settings": job.settings.model_dump(mode="json"),
            "transform": job.transform.model_dump(mode="json"),
            "seed": job.seed,
            "dataset_fingerprint": job.dataset_fingerprint,
            "code_version": job.code_version,
            **tuning,
            "calibration": asdict(decided.calibration),
            "operating_point": {
                "eval_sensitivity": decided.sensitivity,
                "eval_specificity": decided.specificity,
            },
            "triage": {**asdict(decided.triage), **job.settings.triage.model_dump()},
            "warnings": decided.warnings,
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
                **members.figures(trained, job.settings.criterion),
            },
            "versions": {
                "python": platform.python_version(),
                "tensorflow": tf.__version__,
                "keras": keras.__version__,
                "tfx": metadata.version("tfx"),
            },
        },
    )
    training_distributions.write(model_dir, train, decided.probabilities)
    # Each member's held-out images come first, and then, where these count, shifted ones.
    plain = [np.arange(len(each.predictions.labels)) < each.eval_images for each in trained]
    reference_scores.write(
        model_dir,
        decided.scored,
        np.concatenate(plain),
        decided.calibration,
        evaluation,
        known,
    )
    sums.record(model_dir)


def _tuned(job: Job, hyperparameters: dict[str, Any] | None) -> tuple[Job, dict[str, Any]]:
    """Returns the job with a Tuner's result, and its part of the record."""
    if hyperparameters is None:
        return job, {}
    assert job.tuner is not None
    values = values_of(hyperparameters)
    _LOG.info("the Tuner found  %s", in_words(values))
    tuning = {
        "values": values,
        "settings": job.settings.model_dump(mode="json"),
        "search": job.tuner.model_dump(mode="json"),
    }
    return replace(job, settings=chosen(job.settings, values)), {"tuning": tuning}


def _identity(fn_args: FnArgs, job: Job) -> str:
    """Names the training by all that decides its outcome, so that only it finds its backup."""
    inputs = [
        *files_of(fn_args.train_files),
        *files_of(fn_args.eval_files),
        fn_args.transform_output,
    ]
    decisive = replace(job, profile=False).custom_config()
    return hashlib.sha256(json.dumps([inputs, decisive]).encode()).hexdigest()[:16]
