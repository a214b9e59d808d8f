import json

import pytest

from pipeline import training_code as recipe_module
from pipeline.config.config_file import load
from pipeline.training_code import baseline_version, recipe_of
from serving.versions import pushed
from trainer_module.models import transfer
from trainer_module.networks.backbones.efficientnet_lite0 import PACKAGE
from transform_module.errors import UserError


def test_the_same_choices_make_the_same_recipe():
    assert recipe_of(load("demo"), "f1") == recipe_of(load("demo"), "f1")
    assert len(recipe_of(load(), "f1")) == 64


@pytest.mark.parametrize(
    "override",
    [
        "seed=8",
        "transform.resize=pad",
        "trainer.epochs=3",
        "trainer.augmentation.zoom=0.2",
        "trainer.operating_point.sensitivity=0.9",
        "trainer.folds=3",
        "tuner.enabled=true",
    ],
)
def test_what_decides_a_model_changes_the_recipe(override):
    assert recipe_of(load(None, [override]), "f1") != recipe_of(load(), "f1")


def test_other_data_changes_the_recipe():
    assert recipe_of(load(), "f2") != recipe_of(load(), "f1")


def test_other_weights_under_the_same_path_change_the_recipe(tmp_path):
    weights = tmp_path / "weights.h5"
    given = ["trainer.model=transfer", f"trainer.transfer.weights={weights}"]
    found = set()
    for content in (b"one", b"other"):
        weights.write_bytes(content)
        found.add(recipe_of(load(None, given), "f1"))
    assert len(found) == 2


def test_another_version_of_the_package_of_the_weights_changes_the_recipe(monkeypatch):
    given = ["trainer.model=transfer", "trainer.transfer.backbone=efficientnet_lite0"]
    version, found = transfer.metadata.version, set()
    for number in ("1.0", "2.0"):
        monkeypatch.setattr(
            transfer.metadata,
            "version",
            lambda name, number=number: number if name == PACKAGE else version(name),
        )
        found.add(recipe_of(load(None, given), "f1"))
    assert len(found) == 2


def test_other_code_changes_the_recipe(monkeypatch):
    before = recipe_of(load(), "f1")
    monkeypatch.setattr(recipe_module, "code_version", lambda *_: "other")
    assert recipe_of(load(), "f1") != before


@pytest.mark.parametrize(
    "override",
    [
        "tuner.trials=3",
        "orchestrator=beam",
        "name=other",
        "evaluation.minimum_auc=0.1",
        "push.directory=x",
    ],
)
def test_what_decides_no_model_leaves_the_recipe(override):
    assert recipe_of(load(None, [override]), "f1") == recipe_of(load(), "f1")


def test_a_search_decides_a_model_and_so_does_its_code(monkeypatch):
    tuned = recipe_of(load(None, ["tuner.enabled=true"]), "f1")
    assert recipe_of(load(None, ["tuner.enabled=true", "tuner.trials=3"]), "f1") != tuned
    monkeypatch.setattr(
        recipe_module, "code_version", lambda *modules: str("components.tuner" in modules)
    )
    assert recipe_of(load(None, ["tuner.enabled=true"]), "f1") != tuned


def push(folder, version, **manifest):
    path = folder / "cxr" / str(version)
    path.mkdir(parents=True)
    (path / pushed.MANIFEST).write_text(json.dumps({"files": {}, "version": version, **manifest}))
    return path


def test_nothing_pushed_is_not_a_baseline(tmp_path):
    assert baseline_version(tmp_path, "cxr", "r1") == ""


def test_the_latest_version_is_the_baseline(tmp_path):
    push(tmp_path, 9, recipe="r1")
    push(tmp_path, 10, recipe="r2", baseline_version="9")
    assert baseline_version(tmp_path, "cxr", "r3") == "10"


def test_a_model_is_not_compared_with_itself_but_with_what_it_was_compared_with(tmp_path):
    push(tmp_path, 9, recipe="r1")
    push(tmp_path, 10, recipe="r2", baseline_version="9")
    assert baseline_version(tmp_path, "cxr", "r2") == "9"


def test_the_first_models_repetition_has_no_baseline(tmp_path):
    push(tmp_path, 9, recipe="r1", baseline_version="")
    assert baseline_version(tmp_path, "cxr", "r1") == ""


def test_an_earlier_recipe_is_compared_with_the_latest(tmp_path):
    push(tmp_path, 9, recipe="r1")
    push(tmp_path, 10, recipe="r2")
    assert baseline_version(tmp_path, "cxr", "r1") == "10"


def test_a_broken_version_hides_no_older_one(tmp_path):
    push(tmp_path, 9, recipe="r1")
    (push(tmp_path, 10, recipe="r2") / pushed.MANIFEST).unlink()
    assert baseline_version(tmp_path, "cxr", "r3") == "9"


def test_where_no_version_is_whole_the_run_stops_before_it_trains(tmp_path):
    (tmp_path / "cxr" / "3").mkdir(parents=True)
    with pytest.raises(UserError, match=r"3/manifest\.json: .* is whole, so that a new model"):
        baseline_version(tmp_path, "cxr", "r1")


def test_a_push_folder_that_cannot_be_read_stops_the_run(tmp_path):
    (tmp_path / "cxr").write_text("a file")
    with pytest.raises(UserError, match="the pushed models cannot be read"):
        baseline_version(tmp_path, "cxr", "r1")
