import json
from importlib import metadata

import pytest
from tfx.types import standard_artifacts

from pipeline.runners.cache_key import cache_key
from serving.images.dataset import DATASET_FILE, QUARANTINE_FILE
from serving.versions.push import push
from transform_module.files.sums import SUMS, sums, to_json


@pytest.fixture
def dataset(tmp_path):
    return made(tmp_path / "dataset")


def made(folder, content="{}"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DATASET_FILE).write_text(content)
    (folder / QUARANTINE_FILE).write_text("path,reason\n")
    return folder


def key(**parameters):
    return cache_key("Trainer", {}, parameters)


@pytest.mark.parametrize("name", ["input_base", "dataset"])
def test_a_dataset_counts_by_what_it_holds(dataset, tmp_path, name):
    before = key(**{name: str(dataset)})
    assert key(**{name: str(made(tmp_path / "elsewhere"))}) == before
    assert key(**{name: str(made(tmp_path / "other", '{"seed": 8}'))}) != before
    (dataset / QUARANTINE_FILE).write_text("path,reason\na.jpeg,empty\n")
    assert key(**{name: str(dataset)}) != before


def test_the_list_of_what_was_kept_out_counts_by_its_content(dataset, tmp_path):
    before = key(quarantine=str(dataset / QUARANTINE_FILE))
    (dataset / QUARANTINE_FILE).rename(tmp_path / "moved.csv")
    assert key(quarantine=str(tmp_path / "moved.csv")) == before
    (tmp_path / "moved.csv").write_text("other")
    assert key(quarantine=str(tmp_path / "moved.csv")) != before


def test_the_pushed_version_counts_by_its_manifest(tmp_path):
    def pushed(place, content, version="17"):
        manifest = tmp_path / place / "cxr" / "17" / "manifest.json"
        manifest.parent.mkdir(parents=True, exist_ok=True)
        manifest.write_text(content)
        return key(push_dir=str(tmp_path / place), model_name="cxr", version=version)

    assert pushed("one", "a") == pushed("other", "a")
    assert pushed("one", "a") != pushed("third", "b")
    assert pushed("one", "a", version="") == pushed("third", "b", version="")


def test_a_version_of_the_same_recipe_with_other_bytes_counts(tmp_path):
    (tmp_path / "trained").mkdir()
    model = standard_artifacts.Model()
    model.uri = str(tmp_path / "trained")

    def baseline(content):
        files = write_model(tmp_path / "model", content)
        (tmp_path / "trained" / SUMS).write_text(to_json(files))
        properties = {"push_dir": str(tmp_path / "pushed"), "model_name": "cxr", "version": ""}
        return cache_key("Baseline", {"trained": [model]}, properties)

    before = baseline("ours")
    push(tmp_path / "model", tmp_path / "pushed" / "cxr", {})
    assert baseline("ours") == before
    # What another machine made by the same recipe, and has pushed meanwhile.
    write_model(tmp_path / "model", "theirs")
    push(tmp_path / "model", tmp_path / "pushed" / "cxr", {})
    assert baseline("ours") != before


def write_model(folder, content):
    folder.mkdir(exist_ok=True)
    (folder / "saved_model.pb").write_text(content)
    return sums(folder)


def test_where_checkpoints_and_images_are_does_not_count():
    def key_with(**changes):
        config = {"settings": {"epochs": 3}, "checkpoint_dir": "/one/checkpoints", **changes}
        return key(custom_config=json.dumps(config), images="/one/images")

    before = key_with()
    assert key_with(checkpoint_dir="/other/checkpoints") == before
    assert key_with(settings={"epochs": 4}) != before
    assert key(images="/one", input_fingerprint="a") == key(images="/other", input_fingerprint="b")


def test_text_that_is_not_json_counts_as_it_is():
    assert key(custom_config="{a") != key(custom_config="{b")


def test_component_inputs_executor_and_parameters_count():
    keys = {
        cache_key("Trainer", {}, {}),
        cache_key("Tuner", {}, {}),
        cache_key("Trainer", {"examples": []}, {}),
        cache_key("Trainer", {}, {"epochs": 3}),
        cache_key("Trainer", {}, {}, b"--runner"),
    }
    assert len(keys) == 5


@pytest.mark.parametrize("library", ["tensorflow", "tfx", "tensorflow-data-validation"])
def test_another_version_of_a_library_is_another_key(monkeypatch, library):
    before = key()
    version = metadata.version
    monkeypatch.setattr(
        metadata, "version", lambda name: "99" if name == library else version(name)
    )
    assert key() != before
