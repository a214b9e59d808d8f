"""What the Trainer runs: ``run_fn``."""

import hashlib
import json
import logging
import platform
import shutil
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

from components import sums
from trainer_module import (
    calibration,
    data,
    domain,
    export,
    members,
    operating_point,
    out_of_fold,
    statistics,
    strategy,
)
from trainer_module.data import files_of
from trainer_module.job import Job
from trainer_module.tuner_settings import chosen, in_words, values_of

_log = logging.getLogger(__name__)


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
    train = data.read(files_of(fn_args.train_files))
    evaluation = data.read(files_of(fn_args.eval_files))
    backup_dir = Path(job.checkpoint_dir or tempfile.mkdtemp()) / _identity(fn_args, job)
    is_chief = strategy.is_chief(where)
    log_dir = Path(fn_args.model_run_dir) if is_chief else backup_dir / "logs-of-others"

    trained = members.train(job, where, train, evaluation, backup_dir, log_dir)
    if not is_chief:
        return
    served = members.assemble(job, trained)
    judgements = [member.judgement for member in trained]
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
                **members.figures(trained, job.settings.monitor),
            },
            "versions": {
                "python": platform.python_version(),
                "tensorflow": tf.__version__,
                "keras": keras.__version__,
                "tfx": metadata.version("tfx"),
            },
        },
    )
    statistics.write(Path(fn_args.serving_model_dir), train, probabilities)
    sums.record(Path(fn_args.serving_model_dir))
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


def _share(told: np.ndarray, of: np.ndarray) -> float | None:
    return float(told[of].mean()) if of.any() else None


def _identity(fn_args: FnArgs, job: Job) -> str:
    """Names the training by all that decides its outcome, so that only it finds its backup."""
    inputs = [
        *files_of(fn_args.train_files),
        *files_of(fn_args.eval_files),
        fn_args.transform_output,
    ]
    decisive = replace(job, profile=False).custom_config()
    return hashlib.sha256(json.dumps([inputs, decisive]).encode()).hexdigest()[:16]
