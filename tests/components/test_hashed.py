import pytest
from tfx.types import channel, standard_artifacts

from components import hashed
from components.baseline.component import Baseline

PARAMETERS = {"push_dir": "p", "model_name": "cxr", "version": "17"}


@pytest.fixture
def trained():
    return channel.Channel(standard_artifacts.Model)


def test_a_component_has_the_hash_of_its_own_module(trained, monkeypatch):
    monkeypatch.setattr(hashed, "code_version", lambda *entries: " ".join(entries))
    component = Baseline(trained=trained, **PARAMETERS)
    assert component.exec_properties == {**PARAMETERS, "code": "components.baseline.component"}


def test_nobody_else_chooses_the_hash(trained):
    with pytest.raises(TypeError, match="code"):
        Baseline(trained=trained, **PARAMETERS, code="another")


def test_the_function_is_not_given_the_hash(tmp_path):
    trained, model = standard_artifacts.Model(), standard_artifacts.Model()
    model.uri = str(tmp_path)
    parameters = {**PARAMETERS, "push_dir": str(tmp_path / "push"), "code": "0"}
    executor = Baseline.EXECUTOR_SPEC.executor_class()
    executor.Do({"trained": [trained]}, {"model": [model]}, parameters)
    assert "nothing is pushed" in model.get_string_custom_property("reason")
