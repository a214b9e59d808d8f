"""A search on patient folds, then an ensemble, in Beam and rehearsed as a cluster runs it."""

import json
from pathlib import Path

import pytest

from pipeline.config.config_file import load
from pipeline.training_code import recipe_of
from tests.pipeline.cluster_configuration import CLUSTER
from tests.pipeline.command import COMPONENTS, cxr, figures, run, same_figures, states

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.timeout(3600)]

CHOSEN = (
    "trainer.folds=2",
    "trainer.epochs=2",
    "tuner.enabled=true",
    "tuner.algorithm=random",
    "tuner.space={learning_rate: [1e-3, 3e-4], cnn.filters: [[4], [6]]}",
    "tuner.trials=2",
    "tuner.epochs=1",
    "tuner.folds=2",
)
OVERRIDES = [word for each in CHOSEN for word in ("--set", each)]


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """The root of a run, and its record."""
    root = tmp_path_factory.mktemp("search") / "root"
    return root, run(root, "--orchestrator", "beam", *OVERRIDES)


def trained(record):
    return json.loads(Path(record["push"]["path"], "assets.extra/model.json").read_text())


def test_the_trainer_takes_the_tuners_best_and_trains_an_ensemble(searched):
    root, record = searched
    assert set(states(record)) == COMPONENTS | {"Tuner"}
    tuner = next(each for each in record["components"] if each["name"] == "Tuner")
    results = Path(tuner["outputs"]["tuner_results"][0], "tuner_results.json")
    best, other = json.loads(results.read_text())
    assert best["score"] >= other["score"]
    model = trained(record)
    assert model["settings"]["learning_rate"] == best["learning_rate"]
    assert model["settings"]["cnn"]["filters"] == json.loads(best["cnn.filters"])
    assert len(model["training"]["members"]) == 2
    shown = cxr("runs", record["id"], "--root", root)
    assert f"{best['score']:.4f}" in shown
    log = Path(record["log"]).read_text()
    assert "trial  1/2  val_auc" in log
    assert "member 2 of 2" in log


def test_a_repeated_search_is_cached_and_no_model_is_compared_with_itself(searched):
    root, record = searched
    again = run(root, "--orchestrator", "beam", *OVERRIDES)
    assert {name for name, state in states(again).items() if state != "cached"} == {"Pusher"}
    assert again["push"] == record["push"]
    config = load(str(root.parent / "small.yaml"), [*CHOSEN, "orchestrator=beam"])
    assert again["recipe"] == recipe_of(config, record["dataset_fingerprint"])


def test_a_rehearsal_comes_to_the_runs_metrics(searched):
    """`rehearsal.test_whole` rehearses the other target, each task in a process of its own."""
    root, record = searched
    file = root.parent / "pipeline.yaml"
    chosen = [word for each in CLUSTER for word in ("--set", each)]
    cxr(
        *("compile", "--target", "kubeflow", "--out", file),
        *("--config", root.parent / "small.yaml", *chosen, *OVERRIDES),
    )
    message = cxr(
        *("rehearse", file, "--images", root / "images"),
        *("--root", root.parent / "rehearsal", "--json"),
    )
    outcome = json.loads(message)
    assert set(outcome["tasks"]) == COMPONENTS | {"Tuner"}
    assert figures(outcome) == same_figures(record)
    assert outcome["pushed"]
