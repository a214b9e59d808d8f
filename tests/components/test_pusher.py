import json
from pathlib import Path

import pytest
from tfx.types import channel, standard_artifacts

from components.artifacts import model_sums
from components.artifacts.recipe import recipe
from components.pusher import Pusher
from serving.versions import pushed
from serving.versions.push import push, rollback
from serving.versions.signature import VERIFY_KEY, Trust
from tests.serving.versions import signed
from tests.serving.versions.made import RECORD
from transform_module import contract
from transform_module.errors import UserError
from transform_module.files.sums import SUMS, sums

CONFIGURATION = {"seed": 8, "trainer": {"epochs": 25}, "push": {"again": False}}
PARAMETERS = {"model_name": "cxr", "configuration": json.dumps(CONFIGURATION)}


@pytest.fixture
def model(tmp_path):
    artifact = standard_artifacts.Model()
    artifact.uri = str(tmp_path / "model")
    saved = tmp_path / "model" / "Format-Serving" / "saved_model.pb"
    saved.parent.mkdir(parents=True)
    saved.write_bytes(b"graph")
    record = saved.parent / contract.MODEL_RECORD
    record.parent.mkdir()
    record.write_text(json.dumps(RECORD))
    return artifact


def write(folder, graph):
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(graph)
    return folder


def blessing(kind, folder, saved, blessed=True, reasons="", version=""):
    artifact = kind()
    artifact.uri = str(folder / kind.__name__)
    artifact.set_int_custom_property("blessed", int(blessed))
    artifact.set_string_custom_property("reasons", reasons)
    artifact.set_string_custom_property("baseline_version", version)
    model_sums.record(artifact, sums(saved))
    return artifact


def blessings(folder, saved, model_blessing=True, infra_blessing=True, version=""):
    return {
        "model_blessing": blessing(
            standard_artifacts.ModelBlessing, folder, saved, model_blessing, version=version
        ),
        "infra_blessing": blessing(standard_artifacts.InfraBlessing, folder, saved, infra_blessing),
    }


@pytest.fixture
def blessed(tmp_path, model):
    """Makes both blessings of the model as it is."""

    def make(**choices):
        return blessings(tmp_path / "blessings", Path(model.uri) / "Format-Serving", **choices)

    return make


def execute(tmp_path, model, *, again=False, signing=None, **blessings):
    outcome = standard_artifacts.PushedModel()
    chosen = {"again": again, **({"signing": signing} if signing else {})}
    configuration = json.dumps({**CONFIGURATION, "push": chosen})
    parameters = {"push_dir": str(tmp_path / "push"), "model_name": "cxr"}
    parameters["configuration"] = configuration
    Pusher.test_call(model=model, **blessings, pushed_model=outcome, **parameters)
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


def test_a_blessed_model_is_pushed(tmp_path, model, blessed):
    outcome = execute(tmp_path, model, **blessed())
    manifest = assert_pushed(tmp_path, outcome).manifest
    assert manifest["recipe"] == recipe(RECORD)
    assert "model_uri" not in manifest


def test_the_manifest_shows_what_the_model_was_trained_with_not_what_was_planned(
    tmp_path, model, blessed
):
    manifest = assert_pushed(tmp_path, execute(tmp_path, model, **blessed())).manifest
    assert manifest["configuration"] == {**CONFIGURATION, "trainer": {"epochs": 3}}
    assert manifest["versions"] == {"tensorflow": "2.0", "keras": "3.0"}


def test_the_manifest_shows_the_version_that_the_evaluator_compared_with(tmp_path, model, blessed):
    former = push(write(tmp_path / "former", b"other graph"), tmp_path / "push" / "cxr", {})
    given = blessed(version=str(former.version))
    manifest = assert_pushed(tmp_path, execute(tmp_path, model, **given)).manifest
    assert manifest["baseline_version"] == str(former.version)


def test_a_refused_model_is_not_pushed_and_the_reasons_are_reported(tmp_path, model, blessed):
    given = blessed(model_blessing=False)
    given["model_blessing"].set_string_custom_property("reasons", "AUC 0.7\nsensitivity 0.1")
    outcome = execute(tmp_path, model, **given)
    assert_not_pushed(tmp_path, outcome, "its model_blessing says no; AUC 0.7; sensitivity 0.1")


@pytest.mark.parametrize("name", ["model_blessing", "infra_blessing"])
def test_a_model_without_a_blessing_is_not_pushed(tmp_path, model, blessed, name):
    inputs = {key: [artifact] for key, artifact in {"model": model, **blessed()}.items()}
    outputs = {"pushed_model": [standard_artifacts.PushedModel()]}
    parameters = {"push_dir": str(tmp_path / "push"), **PARAMETERS}
    with pytest.raises(ValueError, match=f"Expected input '{name}'"):
        Pusher.EXECUTOR_SPEC.executor_class().Do({**inputs, name: []}, outputs, parameters)
    assert pushed.versions(tmp_path / "push", "cxr") == []


@pytest.mark.parametrize("name", ["model_blessing", "infra_blessing"])
def test_every_blessing_must_hold(tmp_path, model, blessed, name):
    outcome = execute(tmp_path, model, **blessed(**{name: False}))
    assert_not_pushed(tmp_path, outcome, f"its {name} says no")


def test_a_push_folder_that_cannot_be_written_is_reported(tmp_path, model, blessed):
    (tmp_path / "push").write_text("a file")
    with pytest.raises(UserError, match="cannot be pushed here"):
        execute(tmp_path, model, **blessed())


class TestWhatWasExamined:
    """It is pushed byte for byte, or nothing is."""

    def assert_refused(self, tmp_path, model, given, said):
        with pytest.raises(UserError, match=said):
            execute(tmp_path, model, **given)
        assert pushed.versions(tmp_path / "push", "cxr") == []

    @pytest.mark.parametrize("damage", [b"gr", b"Graph", b"", None])
    def test_a_model_that_was_damaged_since(self, tmp_path, model, blessed, damage):
        given, file = blessed(), Path(model.uri) / "Format-Serving" / "saved_model.pb"
        file.unlink() if damage is None else file.write_bytes(damage)
        self.assert_refused(tmp_path, model, given, f"{file}: .*is not the model that was examined")

    @pytest.mark.parametrize("name", ["model_blessing", "infra_blessing"])
    def test_a_blessing_of_another_model(self, tmp_path, model, blessed, name):
        given = blessed()
        other = write(tmp_path / "other", b"other graph")
        model_sums.record(given[name], sums(other))
        self.assert_refused(tmp_path, model, given, "is not the model that was examined")

    def test_a_blessing_of_the_evaluator_without_a_digest(self, tmp_path, model, blessed):
        given = blessed()
        given["model_blessing"].set_string_custom_property(model_sums.DIGEST, "")
        self.assert_refused(tmp_path, model, given, "nobody knows which model was examined")

    @pytest.mark.parametrize("text", [None, "", "{}", '{"files": {}}', '{"files": {"a": 1}}'])
    @pytest.mark.parametrize("name", ["model_blessing", "infra_blessing"])
    def test_damaged_sums(self, tmp_path, model, blessed, text, name):
        given = blessed()
        path = Path(given[name].uri) / SUMS
        path.unlink() if text is None else path.write_text(text)
        self.assert_refused(tmp_path, model, given, "nobody knows which model was examined")

    def test_the_infra_validator_of_tfx_shows_no_digest(self, tmp_path, model, blessed):
        given = blessed()
        given["infra_blessing"] = standard_artifacts.InfraBlessing()
        given["infra_blessing"].set_int_custom_property("blessed", 1)
        assert_pushed(tmp_path, execute(tmp_path, model, **given))


def test_a_model_that_was_not_compared_with_the_pushed_one_is_not_pushed(tmp_path, model, blessed):
    former = push(write(tmp_path / "former", b"other graph"), tmp_path / "push" / "cxr", {})
    outcome = execute(tmp_path, model, **blessed())
    assert outcome.get_int_custom_property("pushed") == 0
    reason = outcome.get_string_custom_property("reason")
    assert "it was compared with no version" in reason
    assert f"holds version {former.version} now; run again" in reason
    assert pushed.latest(tmp_path / "push", "cxr") == former


def test_a_rollback_is_not_undone_by_the_same_run(tmp_path, model, blessed):
    folder = tmp_path / "push" / "cxr"
    former = push(write(tmp_path / "former", b"other graph"), folder, {})
    bad = assert_pushed(tmp_path, execute(tmp_path, model, **blessed(version=str(former.version))))
    restored = rollback(folder)
    given = blessed(version=str(restored.version))
    outcome = execute(tmp_path, model, **given)
    assert outcome.get_int_custom_property("pushed") == 0
    reason = outcome.get_string_custom_property("reason")
    assert f"was rolled back as version {bad.version} in" in reason
    assert "run with --set push.again=true" in reason
    assert pushed.latest(tmp_path / "push", "cxr") == restored
    assert_pushed(tmp_path, execute(tmp_path, model, again=True, **given))


CHANNELS = {
    "model": channel.Channel(standard_artifacts.Model),
    "model_blessing": channel.Channel(standard_artifacts.ModelBlessing),
    "infra_blessing": channel.Channel(standard_artifacts.InfraBlessing),
}


@pytest.mark.parametrize("name", ["model_blessing", "infra_blessing"])
def test_no_pusher_without_a_blessing(name):
    with pytest.raises((TypeError, ValueError)):
        Pusher(**{**CHANNELS, name: None}, push_dir="p", **PARAMETERS)


def test_the_parameters_are_in_the_specification():
    component = Pusher(**CHANNELS, push_dir="p", **PARAMETERS)
    assert component.id == "Pusher"
    assert json.loads(component.exec_properties["configuration"])["seed"] == 8
    assert set(component.outputs) == {"pushed_model"}


def test_a_model_is_signed_as_configured_and_no_path_of_a_key_is_in_it(tmp_path, model, blessed):
    keys = signed.keys(tmp_path / "keys")
    signing = keys.settings.model_dump(mode="json")
    outcome = execute(tmp_path, model, signing=signing, **blessed())
    version = assert_pushed(tmp_path, outcome)
    assert pushed.verify_signature(version.path, Trust(key=keys.public)) == []
    assert version.manifest["configuration"]["push"]["signing"] == {**signing, "private_key": None}


def test_where_a_signature_is_required_an_unsigned_model_is_not_pushed(
    tmp_path, model, blessed, monkeypatch
):
    monkeypatch.setenv(VERIFY_KEY, str(signed.keys(tmp_path / "keys").public))
    with pytest.raises(UserError, match="nothing says who signs this one"):
        execute(tmp_path, model, **blessed())
    assert pushed.versions(tmp_path / "push", "cxr") == []
