import json

import pytest
from tensorflow.core.protobuf import saved_model_pb2
from tfx.types import standard_artifacts

from components.baseline import component
from components.baseline.fit import misfit, record_of
from serving.versions import pushed
from tests.components import tiny
from transform_module import contract
from transform_module.errors import UserError

pytestmark = pytest.mark.slow


@pytest.fixture
def model(tmp_path):
    artifact = tiny.artifact(standard_artifacts.Model, tmp_path / "model")
    tiny.save_model(tmp_path / "model" / "Format-Serving")
    return artifact


@pytest.fixture
def other(tmp_path):
    """A baseline; the signature's definition can be changed."""

    def make(change=lambda signature: None, **options):
        artifact = tiny.artifact(standard_artifacts.Model, tmp_path / "baseline")
        saved = tiny.save_model(tmp_path / "baseline" / "Format-Serving", **options)
        graph = saved_model_pb2.SavedModel.FromString((saved / "saved_model.pb").read_bytes())
        change(graph.meta_graphs[0].signature_def[contract.SERVE_EXAMPLES])
        (saved / "saved_model.pb").write_bytes(graph.SerializeToString())
        manifest = {"version": 17, "files": pushed.sums(saved)}
        (saved / pushed.MANIFEST).write_text(json.dumps(manifest))
        artifact.set_int_custom_property(component.PRESENT, 1)
        return artifact

    return make


def test_a_model_of_the_same_kind_fits(model, other):
    assert misfit(other(), model) == ""


def test_none_at_all_has_a_message_of_its_own(model):
    artifact = standard_artifacts.Model()
    artifact.set_int_custom_property(component.PRESENT, 0)
    artifact.set_string_custom_property(component.REASON, "nothing is pushed yet")
    assert misfit(artifact, model) == "nothing is pushed yet"


@pytest.mark.parametrize(
    ("change", "side"),
    [
        (lambda signature: signature.outputs.pop(contract.PROBABILITY), "outputs"),
        (lambda signature: signature.outputs.pop(contract.VALID), "outputs"),
        (lambda signature: signature.inputs.pop(contract.EXAMPLES), "inputs"),
        (lambda signature: signature.inputs["more"].CopyFrom(signature.outputs["valid"]), "inputs"),
    ],
)
def test_another_signature_does_not_fit(model, other, change, side):
    message = misfit(other(change), model)
    assert message == f"the {side} of the pushed model's serve_examples are others"


def test_what_cannot_be_read_stops_it(model, other, monkeypatch):
    def failing(*_, **__):
        raise OSError(5, "Input/output error")

    artifact = other()
    monkeypatch.setattr(pushed, "sums", failing)
    with pytest.raises(OSError, match="Input/output error"):
        misfit(artifact, model)


def test_a_graph_that_was_pushed_damaged_stops_it(model, other, tmp_path):
    artifact, saved = other(), tmp_path / "baseline" / "Format-Serving"
    (saved / "saved_model.pb").write_bytes(b"no model")
    manifest = {"version": 17, "files": pushed.sums(saved)}
    (saved / pushed.MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(UserError, match=r"is not a SavedModel.*Roll back to another version"):
        misfit(artifact, model)


def test_a_record_that_was_pushed_damaged_stops_it(model, other, tmp_path):
    artifact, saved = other(), tmp_path / "baseline" / "Format-Serving"
    (saved / contract.MODEL_RECORD).write_text('{"threshold": ')
    manifest = {"version": 17, "files": pushed.sums(saved)}
    (saved / pushed.MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(UserError, match=r"model\.json is not JSON.*cannot be compared"):
        misfit(artifact, model)


def test_a_model_without_a_record_has_none(tmp_path):
    assert record_of(str(tmp_path)) == {}
