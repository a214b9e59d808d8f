import json

import pytest
from tfx.types import channel, standard_artifacts

from components import pushed
from components.errors import UserError
from components.pusher import Executor, Pusher
from components.recipe import recipe
from transform_module import features

PARAMETERS = {
    "model_name": "cxr",
    "configuration": '{"seed": 8, "trainer": {"epochs": 25}}',
}
RECORD = {
    "transform": {"resize": "squash"},
    "settings": {"epochs": 3},
    "seed": 8,
    "dataset_fingerprint": "f1",
    "code_version": "c1",
}


@pytest.fixture
def model(tmp_path):
    artifact = standard_artifacts.Model()
    artifact.uri = str(tmp_path / "model")
    saved = tmp_path / "model" / "Format-Serving" / "saved_model.pb"
    saved.parent.mkdir(parents=True)
    saved.write_bytes(b"graph")
    record = saved.parent / features.MODEL_RECORD
    record.parent.mkdir()
    record.write_text(json.dumps(RECORD))
    return artifact


def blessing(kind, blessed, reasons=""):
    artifact = kind()
    artifact.uri = "blessing"
    artifact.set_int_custom_property("blessed", int(blessed))
    artifact.set_string_custom_property("reasons", reasons)
    return artifact


def blessings(model_blessing=True, infra_blessing=True):
    return {
        "model_blessing": blessing(standard_artifacts.ModelBlessing, model_blessing),
        "infra_blessing": blessing(standard_artifacts.InfraBlessing, infra_blessing),
    }


def execute(tmp_path, model, **blessings):
    outcome = standard_artifacts.PushedModel()
    inputs = {"model": [model], **{key: [artifact] for key, artifact in blessings.items()}}
    parameters = {"push_dir": str(tmp_path / "push"), **PARAMETERS}
    Executor().Do(inputs, {"pushed_model": [outcome]}, parameters)
    return outcome


def assert_pushed(tmp_path, outcome):
    version = pushed.latest(tmp_path / "push", "cxr")
    assert pushed.verify(version.path) == []
    assert outcome.get_int_custom_property("pushed") == 1
    assert outcome.get_string_custom_property("pushed_version") == str(version.version)
    assert outcome.get_string_custom_property("pushed_destination") == str(version.path)
    return version


def assert_not_pushed(tmp_path, outcome, reason):
    assert pushed.versions(tmp_path / "push", "cxr") == []
    assert outcome.get_int_custom_property("pushed") == 0
    assert outcome.get_string_custom_property("reason") == reason


def test_a_blessed_model_is_pushed(tmp_path, model):
    outcome = execute(tmp_path, model, **blessings())
    manifest = assert_pushed(tmp_path, outcome).manifest
    assert manifest["recipe"] == recipe(RECORD)
    assert manifest["model_uri"] == model.uri


def test_the_manifest_tells_what_the_model_was_trained_with_not_what_was_planned(tmp_path, model):
    manifest = assert_pushed(tmp_path, execute(tmp_path, model, **blessings())).manifest
    assert manifest["configuration"] == {"seed": 8, "trainer": {"epochs": 3}}


def test_the_manifest_tells_the_version_that_the_evaluator_compared_with(tmp_path, model):
    given = blessings()
    given["model_blessing"].set_string_custom_property("baseline_version", "17")
    manifest = assert_pushed(tmp_path, execute(tmp_path, model, **given)).manifest
    assert manifest["baseline_version"] == "17"


def test_a_refused_model_is_not_pushed_and_the_reasons_are_told(tmp_path, model):
    refused = blessing(standard_artifacts.ModelBlessing, False, "AUC 0.7\nsensitivity 0.1")
    outcome = execute(tmp_path, model, **{**blessings(), "model_blessing": refused})
    assert_not_pushed(tmp_path, outcome, "its model_blessing says no; AUC 0.7; sensitivity 0.1")


@pytest.mark.parametrize("name", ["model_blessing", "infra_blessing"])
def test_a_model_without_a_blessing_is_not_pushed(tmp_path, model, name):
    given = blessings()
    del given[name]
    assert_not_pushed(tmp_path, execute(tmp_path, model, **given), f"there is no {name}")


@pytest.mark.parametrize("name", ["model_blessing", "infra_blessing"])
def test_every_blessing_must_hold(tmp_path, model, name):
    outcome = execute(tmp_path, model, **blessings(**{name: False}))
    assert_not_pushed(tmp_path, outcome, f"its {name} says no")


def test_a_push_folder_that_cannot_be_written_is_told(tmp_path, model):
    (tmp_path / "push").write_text("a file")
    with pytest.raises(UserError, match="cannot be pushed here"):
        execute(tmp_path, model, **blessings())


CHANNELS = {
    "model": channel.Channel(standard_artifacts.Model),
    "model_blessing": channel.Channel(standard_artifacts.ModelBlessing),
    "infra_blessing": channel.Channel(standard_artifacts.InfraBlessing),
}


@pytest.mark.parametrize("name", ["model_blessing", "infra_blessing"])
def test_no_pusher_without_a_blessing(name):
    with pytest.raises((TypeError, ValueError)):
        Pusher(**{**CHANNELS, name: None}, push_dir="p", **PARAMETERS)


def test_the_parameters_stand_in_the_specification():
    component = Pusher(**CHANNELS, push_dir="p", **PARAMETERS)
    assert component.id == "Pusher"
    assert json.loads(component.exec_properties["configuration"])["seed"] == 8
    assert set(component.outputs) == {"pushed_model"}
