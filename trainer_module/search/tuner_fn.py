"""The Tuner's ``tuner_fn``, a search by KerasTuner over trainings of ours."""

import hashlib
import json
import logging
import math
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import keras
import keras_tuner
import numpy as np
import tensorflow as tf
from keras_tuner.engine.trial import Trial, TrialStatus
from keras_tuner.oracles import BayesianOptimizationOracle, HyperbandOracle, RandomSearchOracle
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from trainer_module.input import batches, folds
from trainer_module.input.batches import files_of
from trainer_module.input.shifted import views
from trainer_module.job import Job
from trainer_module.settings.search import (
    Range,
    TunerSettings,
    chosen,
    encoded,
    in_words,
    setting,
    values_of,
)
from trainer_module.training import history, kept_folder, loop, strategy
from trainer_module.training.kept_folder import KeptFolder
from trainer_module.training_error import DivergedError, TrainingError

_LOG = logging.getLogger(__name__)

_SCORE: Final = "score"
_EPOCHS: Final = "tuner/epochs"
_FACTOR: Final = 3
# KerasTuner's environment variables.
_TUNER_ID: Final = "KERASTUNER_TUNER_ID"
_ADDRESS: Final = ("KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT")


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Prepares the search.

    Args:
        fn_args: TFX's; ``custom_config`` holds a `Job` with ``tuner``.

    Returns:
        The tuner, whose ``search`` needs nothing else.

    Raises:
        TrainingError: the strategy or the folds do not fit the machine or the data.
    """
    job = Job.from_custom_config(fn_args.custom_config)
    assert job.tuner is not None
    where = strategy.create(job.settings.strategy)
    if strategy.has_workers(where):
        raise strategy.StrategyError(
            "a search does not train on the workers of TF_CONFIG: unset it for the Tuner, and let"
            f" several machines search together by KerasTuner's {_TUNER_ID}."
        )
    train_files = files_of(fn_args.train_files)
    eval_files = files_of(fn_args.eval_files)
    parts = [
        (learnt, views(unseen, job.settings, job.transform))
        for learnt, unseen in folds.split(
            *batches.read_splits(train_files, eval_files, job.transform.size),
            folds=job.tuner.folds,
            seed=job.seed,
        )
    ]
    folder = kept_folder.of(job.checkpoint_dir, tempfile.mkdtemp())
    folder /= f"search-{_identity([*train_files, *eval_files], job)}"
    folder.fetch()
    if _leads():
        _write_job(folder.path, fn_args)
    return TunerFnResult(Search(job, job.tuner, where, parts, folder), {})


class Search(keras_tuner.Tuner):
    """Trains each trial as the Trainer would, once for each fold.

    What a trial scored is kept in a file of its own, under all that decides it, and is never
    trained again. KerasTuner's own state is not read back: a search that was killed draws the same
    trials from the same seed, finds the scores of those that had ended, and resumes in the epoch
    where it was killed; one with more trials, or another space, takes up what it has in common
    with former ones.
    """

    def __init__(
        self,
        job: Job,
        settings: TunerSettings,
        where: tf.distribute.Strategy,
        parts: list[tuple[batches.Images, list[batches.Images]]],
        folder: KeptFolder,
    ) -> None:
        """Makes the search.

        Args:
            job: what is trained, but for what is searched for.
            settings: of the search.
            where: the strategy.
            parts: for each fold its training part, and its scoring part with its views.
            folder: belongs to the trainings of this job; several searches may have it in common.
        """
        self._job, self._settings, self._where, self._parts = job, settings, where, parts
        self._folder = folder
        self._started = 0.0
        super().__init__(
            oracle=_oracle(settings, job),
            directory=str(folder.path),
            project_name=f"keras-tuner-{os.environ.get(_TUNER_ID, 'alone')}",
            overwrite=True,
        )

    def on_trial_begin(self, trial: Trial) -> None:
        """Looks at the clock."""
        self._started = time.monotonic()

    def run_trial(self, trial: Trial, *_: Any, **__: Any) -> dict[str, float]:
        """Trains the trial's settings, unless that was done before.

        Hyperband's later rounds train anew for more epochs: so each training follows its
        settings, its learning rate falls over its own epochs, and no weights wait on the disk.

        Returns:
            The score.
        """
        values = values_of(trial.hyperparameters.get_config())
        epochs = trial.hyperparameters.values.get(_EPOCHS, self._settings.epochs)
        settings = chosen(self._job.settings, {**values, "epochs": epochs})
        name = _digest([values, epochs])
        ended = self._folder / "trials"
        found = ended.path / f"{name}.json"
        if found.exists():
            scores = json.loads(found.read_text())["scores"]
        else:
            place = self._folder / f"trial-{name}"
            job = replace(self._job, settings=settings)
            scores = [self._score(job, fold, place) for fold in range(len(self._parts))]
            found.parent.mkdir(exist_ok=True)
            partial = found.with_suffix(".partial")
            content = {"values": values, "epochs": epochs, "scores": scores}
            partial.write_text(json.dumps(content, allow_nan=False))
            partial.replace(found)
            ended.store()
            place.remove()
        if None in scores:
            # KerasTuner takes a score that is not a number for a trial that failed.
            return {_SCORE: math.nan}
        if self._settings.objective == "mean":
            return {_SCORE: float(np.mean(scores))}
        worst = np.max if settings.monitor.endswith("loss") else np.min
        return {_SCORE: float(worst(scores))}

    def on_trial_end(self, trial: Trial) -> None:
        """Reports the trial's end to the oracle and the log."""
        super().on_trial_end(trial)
        number = f"trial {int(trial.trial_id) + 1:2d}/{self._settings.trials}"
        ended = self.oracle.get_trial(trial.trial_id)
        if ended.status != TrialStatus.COMPLETED:
            _LOG.warning("%s  failed: %s", number, _reason(trial))
            return
        (best,) = self.oracle.get_best_trials(1)
        values = values_of(trial.hyperparameters.get_config())
        _LOG.info(
            "%s  %s %.4f  %s  %.0f s%s",
            number,
            self._job.settings.criterion,
            ended.score,
            in_words(values),
            time.monotonic() - self._started,
            "  best" if best.trial_id == trial.trial_id else "",
        )

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[keras_tuner.HyperParameters]:
        """Returns the best trials' values, best first.

        Raises:
            TrainingError: not one trial ended well.
        """
        (best,) = self.oracle.get_best_trials(1) or [None]
        if best is None or best.status != TrialStatus.COMPLETED:
            raise TrainingError(f"No trial of the search ended well: {_reason(best)}")
        return super().get_best_hyperparameters(num_trials)

    def _score(self, job: Job, fold: int, place: KeptFolder) -> float | None:
        """Trains on all but one fold; returns the best figure, None where it is not a number."""
        seed = job.seed + fold
        keras.utils.set_random_seed(seed)
        learnt, unseen = self._parts[fold]
        inside = place / f"fold-{fold + 1}"
        try:
            _, epochs = loop.fit(
                replace(job, seed=seed),
                self._where,
                learnt,
                unseen,
                backup=inside,
                log_dir=inside.path / "logs",
                log=_LOG.debug,
            )
        except DivergedError as error:
            _LOG.info("%s", error)
            return None
        criterion = job.settings.criterion
        figure = float(epochs[history.best_epoch(epochs, criterion)][criterion])
        return figure if math.isfinite(figure) else None


def _leads() -> bool:
    """Whether this process draws trials for workers, and trains none."""
    return "chief" in os.environ.get(_TUNER_ID, "") and _ADDRESS[0] in os.environ


def _write_job(folder: Path, fn_args: FnArgs) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        name: getattr(fn_args, name) for name in ("train_files", "eval_files", "custom_config")
    }
    partial, path = folder / "job.partial", folder / "job.json"
    partial.write_text(json.dumps(content))
    partial.replace(path)
    address = " ".join(f"{name}={os.environ[name]}" for name in _ADDRESS)
    _LOG.info(
        "waiting for workers, each with an id: %s=1 %s python -m trainer_module.search.worker %s",
        _TUNER_ID,
        address,
        path,
    )


def _oracle(settings: TunerSettings, job: Job) -> keras_tuner.Oracle:
    is_loss = job.settings.monitor.endswith("loss")
    content = {
        "objective": keras_tuner.Objective(_SCORE, "min" if is_loss else "max"),
        "hyperparameters": _space(settings, job),
        # KerasTuner takes 0 for none.
        "seed": job.seed + 1,
    }
    match settings.algorithm:
        case "bayesian":
            oracle = BayesianOptimizationOracle(max_trials=settings.trials, **content)
        case "random":
            oracle = RandomSearchOracle(max_trials=settings.trials, **content)
        case "hyperband":
            oracle = HyperbandOracle(max_epochs=settings.epochs, factor=_FACTOR, **content)
            # It has no such argument; the attribute bounds it as it does the others.
            oracle.max_trials = settings.trials
    oracle.verbose = 0
    return oracle


def _space(settings: TunerSettings, job: Job) -> keras_tuner.HyperParameters:
    space = keras_tuner.HyperParameters()
    for path, domain in settings.space.items():
        if not isinstance(domain, Range):
            # As the settings hold them: KerasTuner takes 0 and 0.1 for two kinds.
            typed = [setting(path, chosen(job.settings, {path: value})) for value in domain]
            space.Choice(path, [encoded(value) for value in typed])
            continue
        add = space.Int if isinstance(setting(path, job.settings), int) else space.Float
        add(path, domain.min, domain.max, sampling="log" if domain.log else "linear")
    return space


def _reason(failed: Trial | None) -> str:
    said = failed.message if failed and failed.message else "its score is not a number"
    return str(said.strip().splitlines()[-1])


def _identity(files: list[str], job: Job) -> str:
    """Names the trainings by all that decides a trial's scores but its own values."""
    config = replace(job, tuner=None).custom_config()
    assert job.tuner is not None
    return _digest([files, config, job.tuner.folds])


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
