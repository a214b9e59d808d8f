import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from tests.trainer_module import small
from trainer_module.search import tuner_fn
from trainer_module.settings.search import TunerSettings
from trainer_module.training import history, loop, members, strategy
from trainer_module.training.steps import Steps
from trainer_module.training_error import DivergedError, TrainingError
from transform_module import contract

SPACE = {"learning_rate": {"min": 1e-4, "max": 1e-2, "log": True}, "cnn.filters": [[2], [4]]}


def job(folder, settings=small.SETTINGS, **search):
    chosen = {"space": SPACE, "trials": 3, "epochs": 2, "algorithm": "random", **search}
    return replace(small.job(folder, settings), tuner=TunerSettings(**chosen))


def prepared(transformed, output):
    """The search as TFX's executor gets it."""
    return tuner_fn.tuner_fn(
        SimpleNamespace(
            custom_config=output.custom_config(),
            train_files=transformed.train_files,
            eval_files=transformed.eval_files,
        )
    ).tuner


def searched(transformed, output):
    """Runs a search; for each trial its values and its score."""
    search = prepared(transformed, output)
    search.search()
    return [(trial.hyperparameters.values, trial.score) for trial in search.oracle.trials.values()]


@pytest.fixture
def fits(monkeypatch):
    """The jobs of every training; none is run, and its figure follows from its learning rate."""
    seen = []

    def fit(job, *_, **__):
        seen.append(job)
        return None, [{"val_auc": 0.5}, {"val_auc": 0.5 + job.settings.learning_rate}]

    stub(monkeypatch, fit)
    return seen


def stub(monkeypatch, fit):
    monkeypatch.setattr(loop, "fit", fit)
    monkeypatch.setattr(tuner_fn.batches, "read", lambda *_, **__: small.images(12))


def figures(monkeypatch, *output, monitor="val_auc"):
    """Lets the trainings end with these figures, one after the other, or with an error."""
    outcomes = iter(output)

    def fit(*_, **__):
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return None, [{monitor: outcome}]

    stub(monkeypatch, fit)


def test_each_trial_is_trained_with_its_values(transformed, tmp_path, fits):
    trials = searched(transformed, job(tmp_path))
    assert len(trials) == len(fits) == 3
    for (values, score), trained in zip(trials, fits, strict=True):
        assert trained.settings.learning_rate == values["learning_rate"]
        assert list(trained.settings.cnn.filters) == json.loads(values["cnn.filters"])
        assert trained.settings.epochs == 2
        assert trained.settings.batch_size == small.SETTINGS.batch_size
        assert score == 0.5 + values["learning_rate"]


def test_the_same_search_draws_the_same(transformed, tmp_path, fits):
    trials = searched(transformed, job(tmp_path / "one"))
    assert searched(transformed, job(tmp_path / "other")) == trials
    assert searched(transformed, replace(job(tmp_path), seed=8)) != trials


def test_finished_trials_are_not_trained_again_and_a_longer_search_continues(
    transformed, tmp_path, fits
):
    trials = searched(transformed, job(tmp_path))
    assert searched(transformed, job(tmp_path)) == trials
    assert len(fits) == 3
    assert searched(transformed, job(tmp_path, trials=4))[:3] == trials
    assert len(fits) == 4


def test_what_decides_a_score_has_trainings_of_its_own(transformed, tmp_path, fits):
    output = job(tmp_path)
    batch = small.SETTINGS.model_copy(update={"batch_size": 4})
    for number, (changed, trainings) in enumerate(
        [
            (output, 3),
            (replace(output, seed=8), 3),
            (replace(output, dataset_fingerprint="other"), 3),
            (replace(output, code_version="other"), 3),
            (replace(output, settings=batch), 3),
            (job(tmp_path, folds=2), 6),
            (job(tmp_path, epochs=3), 3),
            (job(tmp_path, objective="worst"), 0),
        ]
    ):
        fits.clear()
        searched(transformed, changed)
        assert len(fits) == trainings, number


@pytest.mark.slow
def test_a_killed_search_continues_in_the_epoch_where_it_was(transformed, tmp_path, monkeypatch):
    unbroken = searched(transformed, job(tmp_path / "unbroken", trials=2))
    with small.killed_after(3):
        searched(transformed, job(tmp_path, trials=2))
    epochs = []
    train = Steps.train
    monkeypatch.setattr(Steps, "train", lambda *a, **k: epochs.append(1) or train(*a, **k))
    resumed = searched(transformed, job(tmp_path, trials=2))
    assert len(epochs) == 1
    for (values, score), (unbroken_values, unbroken_score) in zip(resumed, unbroken, strict=True):
        assert values == unbroken_values
        assert score == pytest.approx(unbroken_score)
    (folder,) = tmp_path.glob("search-*")
    assert not list(folder.glob("trial-*"))


@pytest.mark.parametrize(
    ("objective", "monitor", "expected"),
    [("mean", "val_auc", 0.6), ("worst", "val_auc", 0.3), ("worst", "val_loss", 0.9)],
)
def test_a_score_is_the_mean_or_the_worst_of_the_folds(
    transformed, tmp_path, monkeypatch, objective, monitor, expected
):
    figures(monkeypatch, 0.3, 0.9, 0.6, monitor=monitor)
    settings = small.SETTINGS.model_copy(update={"monitor": monitor})
    output = job(tmp_path, settings, trials=1, folds=3, objective=objective)
    ((_, score),) = searched(transformed, output)
    assert score == pytest.approx(expected)


@pytest.mark.parametrize(("monitor", "best"), [("val_auc", 0.4), ("val_loss", 0.2)])
def test_the_best_figure_is_the_greatest_and_the_best_loss_the_least(
    transformed, tmp_path, monkeypatch, monitor, best
):
    figures(monkeypatch, 0.3, 0.2, 0.4, monitor=monitor)
    settings = small.SETTINGS.model_copy(update={"monitor": monitor})
    search = prepared(transformed, job(tmp_path, settings))
    search.search()
    assert search.oracle.get_best_trials(1)[0].score == best


def test_hyperband_gives_the_best_more_epochs(transformed, tmp_path, fits):
    trials = searched(transformed, job(tmp_path, algorithm="hyperband", epochs=3, trials=5))
    assert len(trials) == 5
    assert {trained.settings.epochs for trained in fits} == {1, 3}
    brief = [values["learning_rate"] for values, _ in trials if values["tuner/epochs"] == 1]
    longer = [values["learning_rate"] for values, _ in trials if values["tuner/round"] == 1]
    assert longer[0] == max(brief)


def test_bayesian_draws_what_the_scores_so_far_promise(transformed, tmp_path, monkeypatch):
    def fit(job, *_, **__):
        return None, [{"val_auc": 1 - abs(job.settings.augmentation.zoom - 0.2)}]

    stub(monkeypatch, fit)
    space = {"augmentation.zoom": {"min": 0, "max": 0.9}}
    trials = searched(transformed, job(tmp_path, algorithm="bayesian", trials=6, space=space))
    best = max(trials, key=lambda each: each[1])[0]
    assert best["augmentation.zoom"] == pytest.approx(0.2, abs=0.1)


def test_whole_numbers_and_values_keep_their_kind(transformed, tmp_path, fits):
    space = {"cnn.kernel_size": {"min": 1, "max": 5}, "augmentation.shear": [0, 0.1]}
    trials = searched(transformed, job(tmp_path, trials=8, space=space))
    assert {type(values["cnn.kernel_size"]) for values, _ in trials} == {int}
    assert {values["augmentation.shear"] for values, _ in trials} == {0.0, 0.1}


def test_a_trial_that_fails_is_reported_and_the_search_continues(
    transformed, tmp_path, monkeypatch, caplog
):
    figures(monkeypatch, MemoryError("no room"), 0.7, float("nan"), DivergedError("it diverged"))
    with caplog.at_level("INFO", "trainer_module"):
        search = prepared(transformed, job(tmp_path, trials=4))
        search.search()
    (best,) = search.get_best_hyperparameters()
    assert best.values == search.oracle.trials["1"].hyperparameters.values
    assert "trial  1/4  failed: MemoryError: no room" in caplog.text
    assert "trial  2/4  val_auc 0.7000  learning_rate" in caplog.text
    assert "trial  3/4  failed: its score is not a number" in caplog.text
    assert "it diverged" in caplog.text
    assert "trial  4/4  failed: its score is not a number" in caplog.text
    kept = [json.loads(path.read_text()) for path in tmp_path.glob("search-*/trials/*.json")]
    assert sorted(each["scores"] for each in kept if each["scores"] != [0.7]) == [[None], [None]]


def test_workers_of_tf_config_are_refused(transformed, tmp_path, monkeypatch):
    monkeypatch.setattr(strategy, "has_workers", lambda _: True)
    with pytest.raises(strategy.StrategyError, match="a search does not train on the workers"):
        prepared(transformed, job(tmp_path))


def test_a_search_of_which_no_trial_ended_well_has_no_best(transformed, tmp_path, monkeypatch):
    figures(monkeypatch, MemoryError("no room"), MemoryError("no room"))
    search = prepared(transformed, job(tmp_path, trials=2))
    search.search()
    with pytest.raises(TrainingError, match="No trial of the search ended well: MemoryError: no"):
        search.get_best_hyperparameters()


@pytest.mark.slow
def test_the_trainer_takes_what_was_found(transformed, tmp_path, monkeypatch):
    settings, fits, fit = job(tmp_path).tuner, [], loop.fit
    monkeypatch.setattr(
        members, "fit", lambda job, *args, **output: fits.append(job) or fit(job, *args, **output)
    )
    found = {"space": [], "values": {"learning_rate": 0.002, "cnn.filters": "[2]"}}
    small.run(transformed, tmp_path, tuner=settings, hyperparameters=found)
    (trained,) = fits
    assert trained.settings.learning_rate == 0.002
    assert trained.settings.epochs == small.SETTINGS.epochs
    record = json.loads((tmp_path / "model" / contract.MODEL_RECORD).read_text())
    assert record["settings"] == trained.settings.model_dump(mode="json")
    assert record["tuning"] == {
        "values": {"learning_rate": 0.002, "cnn.filters": [2]},
        "settings": small.SETTINGS.model_dump(mode="json"),
        "search": settings.model_dump(mode="json"),
    }
    assert len(history.read(tmp_path / "run" / "history.csv")) == record["training"]["epochs"]
