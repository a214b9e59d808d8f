"""True runs, each a process of its own, on real components."""

import json
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from pipeline.run.preflight.model_size import parameters
from serving.analysis import findings as contract
from serving.versions import pushed
from tests.pipeline.command import (
    COMPONENTS,
    REPOSITORY,
    cxr,
    figures,
    run,
    run_killed_when,
    same_figures,
    states,
)
from trainer_module.settings.trainer import TrainerSettings
from transform_module.contract import IMAGE_SIZE

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.timeout(3600)]

PACKAGES = ("pipeline", "components", "transform_module", "trainer_module", "serving", "tests")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def source(place):
    """A copy of the source, which tests may edit."""
    for package in PACKAGES:
        shutil.copytree(
            REPOSITORY / package, place / "source" / package, ignore=shutil.ignore_patterns("*.pyc")
        )
    (place / "source" / "README.md").write_text("before")
    return place / "source"


@pytest.fixture(scope="module")
def first(place, source):
    """The first run of the small pipeline, unbroken."""
    return run(place / "root", folder=source, cold=True)


def ran(record):
    return {name for name, state in states(record).items() if state == "finished"}


def assert_same_result(record, other):
    """Threads add what a training sums up in another order each time, in single precision."""
    assert record["dataset_fingerprint"] == other["dataset_fingerprint"]
    assert figures(record) == same_figures(other)


def version_of(record):
    return pushed.latest(Path(record["push"]["path"]).parents[1], "chest_xray")


def test_a_first_run_executes_every_component_and_pushes(first):
    assert set(states(first)) == COMPONENTS == ran(first)
    assert first["state"] == "finished"
    assert first["evaluation"]["blessed"]
    assert {"Overall", "subtype:bacteria", "subtype:normal", "subtype:virus"} == set(
        first["evaluation"]["slices"]
    )
    assert pushed.verify(first["push"]["path"]) == []


def test_a_run_keeps_what_it_trained_on_what_and_how_long(first, place):
    assert first["training"]["epochs"] == len(first["epoch_seconds"]) == 3
    assert min(first["epoch_seconds"]) > 0
    assert first["training"]["parameters"] == parameters(
        TrainerSettings(**first["config"]["trainer"]), IMAGE_SIZE
    )
    splits = first["data"]["splits"]
    assert sum(splits["test"].values()) == first["evaluation"]["slices"]["Overall"]["examples"]
    assert first["data"]["quarantined"] > 0
    assert list((place / "root" / "tensorboard" / first["id"]).glob("events.*"))


def test_evaluating_the_pushed_model_agrees_with_the_evaluator(first, source, place):
    model, images = Path(first["push"]["path"]).parent, Path(first["images"]) / "test"
    given = (images, "--out", place / "evaluation", "--no-corruptions", "--json")
    found = json.loads(cxr("evaluate", model, *given, folder=source))
    message = first["evaluation"]["slices"]
    groups = {f"subtype:{group['name']}": group for group in found["slices"]["subtype"]}
    for name, group in {"Overall": found["overall"], **groups}.items():
        assert group["images"] == message[name]["examples"]
        # Not the PR-AUC, which the Evaluator interpolates; its AUC is over 10,000 thresholds.
        for figure in ("auc", "accuracy", "sensitivity", "specificity", "ece", "brier"):
            expected = pytest.approx(message[name][figure], abs=2e-4)
            assert group[figure]["value"] == expected, (name, figure)
    assert {each["name"] for each in found["drift"]} >= {"brightness", "probability"}
    assert contract.read(place / "evaluation" / contract.FINDINGS).invalid == found["invalid"]


def test_the_pushed_model_shows_its_data_code_and_configuration(first):
    manifest = version_of(first).manifest
    assert manifest["configuration"] == first["config"]
    record = json.loads(Path(first["push"]["path"], "assets.extra/model.json").read_text())
    assert record["dataset_fingerprint"] == first["dataset_fingerprint"]
    assert record["code_version"]


def test_broken_synthetic_files_are_quarantined_and_the_run_continues(first, place):
    quarantine = (place / "root" / "dataset" / "quarantine.csv").read_text()
    assert "person0_bacteria_0.jpeg,truncated JPEG" in quarantine


def test_the_pushed_model_predicts_files(first, place):
    rows = json.loads(
        cxr(
            "predict",
            "--json",
            Path(first["push"]["path"]).parent,
            place / "root" / "images" / "test",
            place / "nowhere.png",
        )
    )
    good = [row for row in rows if row["valid"]]
    evaluated = first["evaluation"]["slices"]["Overall"]["examples"]
    assert len(good) == evaluated
    assert {row["label"] for row in good} <= {"NORMAL", "PNEUMONIA"}
    reasons = {Path(row["path"]).name: row["reason"] for row in rows if not row["valid"]}
    assert reasons["nowhere.png"].startswith("cannot be opened")
    assert reasons["person0_virus_0.jpeg"].startswith("text file: an HTML page")


def test_after_an_edit_of_the_readme_all_is_cached_but_the_push(first, place, source):
    (source / "README.md").write_text("after")
    again = run(place / "root", folder=source)
    assert ran(again) == {"Pusher"}
    assert again["push"] == first["push"]


def test_a_run_ends_with_its_page_and_its_card(first):
    page = Path(first["report"]["page"]).read_text()
    card = Path(first["report"]["card"]).read_text()
    assert first["report"]["reason"] == ""
    assert f"Pushed as version {first['push']['version']}" in page
    assert all(name in page for name in COMPONENTS)
    assert f"{first['evaluation']['slices']['Overall']['auc']:.2f}" in page
    assert yaml.safe_load(card.split("---\n")[1])["model-index"][0]["name"] == (
        f"chest_xray/{first['push']['version']}"
    )


@pytest.mark.parametrize("module", ["reading", "page"])
def test_a_report_that_fails_costs_no_model_and_is_tried_again(first, place, source, module):
    """Whether its findings cannot be computed or its page cannot be rendered."""
    path = source / "serving" / "report" / f"{module}.py"
    whole = path.read_text()
    failing = "def failing(*_, **__):\n    raise OSError('no space')\n\nversions = page = failing\n"
    path.write_text(f"{whole}\n\n{failing}")
    failed = run(place / "root", folder=source)
    assert failed["state"] == "finished"
    assert failed["push"] == first["push"]
    assert failed["report"] == {"page": "", "card": "", "reason": "no space"}
    if module == "reading":
        assert "Report" in ran(run(place / "root", folder=source))
    path.write_text(whole)
    mended = run(place / "root", folder=source)
    assert Path(mended["report"]["page"]).exists()


def test_an_edit_of_the_trainer_reruns_it_and_what_follows(first, place, source):
    path = source / "trainer_module" / "input" / "class_weights.py"
    path.write_text(path.read_text() + "\n# edited\n")
    edited = run(place / "root", folder=source)
    assert ran(edited) == {"Trainer", "Baseline", "Evaluator", "ServingCheck", "Pusher", "Report"}
    trainer = next(each for each in edited["components"] if each["name"] == "Trainer")
    assert "code_version" in trainer["why"]
    assert_same_result(edited, first)


def test_an_edit_of_the_transform_reruns_it_and_what_follows(first, place, source):
    path = source / "transform_module" / "preprocessing.py"
    path.write_text(path.read_text() + "\n# edited\n")
    edited = run(place / "root", folder=source)
    assert {"Transform", "Trainer", "Evaluator", "ServingCheck", "Pusher"} <= ran(edited)
    assert not {"ImportExampleGen", "StatisticsGen", "SchemaGen"} & ran(edited)


def test_an_edit_of_the_evaluator_reruns_it_and_what_follows(first, place, source):
    path = source / "components" / "evaluator" / "tfma_metrics.py"
    path.write_text(path.read_text() + "\n# edited\n")
    edited = run(place / "root", folder=source)
    # What is pushed may have changed since the Baseline looked, by the tests before.
    assert ran(edited) - {"Baseline"} == {"Evaluator", "ServingCheck", "Pusher", "Report"}
    assert_same_result(edited, first)


def test_runs_are_listed_with_their_lineage(first, place):
    listed = json.loads(cxr("runs", "--json", "--root", place / "root"))
    assert first["id"] in [record["id"] for record in listed]
    shown = cxr("runs", first["id"], "--root", place / "root")
    assert first["dataset_fingerprint"] in shown
    assert first["push"]["version"] in shown
    assert "first time" in shown


@pytest.fixture(scope="module")
def profiled(place):
    """A run in Beam that is profiled."""
    return run(place / "beam" / "root", "--orchestrator", "beam", "--profile")


def test_the_beam_orchestrator_comes_to_the_same_result_profiled_too(first, profiled):
    assert ran(profiled) == COMPONENTS
    assert_same_result(profiled, first)
    assert profiled["push"]["pushed"]


def test_a_profiled_run_shows_where_its_time_went(profiled):
    drawn = Path(profiled["timeline"]).read_text()
    steps = [*profiled["steps"], *profiled["components"]]
    assert {"Convert images", "Start TensorFlow and TFX", *COMPONENTS} <= {
        step["name"] for step in steps
    }
    assert all(step["name"] in drawn for step in steps)
    for step, following in pairwise(steps):
        assert step["peak_memory"] > 0
        assert step["start"] + step["seconds"] <= following["start"]
    assert steps[-1]["start"] + steps[-1]["seconds"] < profiled["seconds"]
    trainer = next(each for each in profiled["components"] if each["name"] == "Trainer")
    assert list(Path(trainer["outputs"]["model_run"][0]).glob("plugins/profile/*/*.xplane.pb"))


def test_what_a_profiled_run_trained_is_not_trained_again_to_be_profiled(profiled, place):
    again = run(place / "beam" / "root", "--orchestrator", "beam", "--profile")
    assert ran(again) == {"Pusher"}
    assert again["push"] == profiled["push"]


def test_a_sample_of_real_chest_x_rays_runs_to_a_pushed_model(chest_xray, place):
    for folder in ("train", "test"):
        for label in ("NORMAL", "PNEUMONIA"):
            target = place / "sample" / folder / label
            target.mkdir(parents=True)
            for path in sorted((chest_xray / folder / label).iterdir())[::30]:
                (target / path.name).symlink_to(path)
    record = run(place / "real" / "root", "--images", place / "sample")
    overall = record["evaluation"]["slices"]["Overall"]
    assert overall["examples"] == len(list((place / "sample" / "test").rglob("*.*")))
    # A brief training of a tiny network is well above chance on these.
    assert overall["auc"] > 0.6
    assert record["push"]["pushed"]


def log_says(root, text):
    return any(text in path.read_text(errors="replace") for path in root.glob("logs/*.log"))


def test_a_run_killed_anywhere_ends_in_the_same_result_when_repeated(first, place):
    root = place / "killed" / "root"
    run_killed_when((root / ".dataset.partial" / "new").is_dir, root)
    assert not (root / "dataset").exists()
    run_killed_when(lambda: log_says(root, "Component Transform is running"), root)
    run_killed_when(lambda: any(root.glob("checkpoints/*/state/checkpoint")), root)

    repeated = run(root)

    after = {"Baseline", "Evaluator", "ServingCheck", "Pusher", "Report"}
    assert ran(repeated) == {"Trainer", *after}
    assert_same_result(repeated, first)
    assert repeated["push"]["pushed"]
    assert log_says(root, "resuming after epoch")
    listed = json.loads(cxr("runs", "--json", "--root", root))
    assert [record["state"] for record in listed] == ["killed"] * 3 + ["finished"]


def test_a_run_that_fails_says_why_and_is_in_no_ones_way(first, place):
    message = cxr(
        *("run", "--root", place / "root", "--config", place / "small.yaml"),
        *("--set", "trainer.strategy=tpu"),
        code=1,
    )
    assert "strategy 'tpu' found no TPU: set TPU_NAME" in message
    assert "Traceback" not in message
    assert run(place / "root")["state"] == "finished"


def test_a_refused_model_is_not_pushed_and_the_reason_is_reported(first, place):
    message = cxr(
        *("run", "--root", place / "root", "--config", place / "small.yaml"),
        *("--set", "evaluation.minimum_auc=1", "--set", "evaluation.minimum_sensitivity=1"),
        code=3,
    )
    assert "is below the floor 1 on slice Overall" in message
    assert version_of(first).path == Path(first["push"]["path"]) or "not pushed" in message
