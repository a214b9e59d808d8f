import pytest
from tfx.types import artifact_utils, standard_artifacts

from pipeline.runners import seal


@pytest.fixture
def model(tmp_path):
    artifact = standard_artifacts.Model()
    artifact.uri = str(tmp_path / "model")
    (tmp_path / "model" / "variables").mkdir(parents=True)
    (tmp_path / "model" / "saved_model.pb").write_bytes(b"graph")
    (tmp_path / "model" / "variables" / "data").write_bytes(b"weights")
    artifact.set_int_custom_property("blessed", 0)
    return artifact


def sealed(artifact):
    seal.seal(artifact.mlmd_artifact)
    return artifact


def problems(artifact):
    return list(seal.damage(artifact.mlmd_artifact))


def test_an_artifact_that_is_as_it_was_is_whole(model):
    assert not seal.is_sealed(model.mlmd_artifact)
    assert seal.is_sealed(sealed(model).mlmd_artifact)
    assert problems(model) == []


def test_damage_names_the_file(model, tmp_path):
    sealed(model)
    (tmp_path / "model" / "variables" / "data").write_bytes(b"weightS")
    assert problems(model) == [f"{tmp_path}/model/variables/data is damaged"]


def test_a_property_that_changed_in_the_store_is_damage_too(model):
    sealed(model).set_int_custom_property("blessed", 1)
    assert problems(model) == [f"the metadata of {model.uri} is damaged"]


def test_checksums_that_changed_in_the_store_are_damage_too(model):
    sealed(model).set_string_custom_property("files", "{}")
    assert problems(model) == [f"the metadata of {model.uri} is damaged"]


def test_what_tfx_adds_later_is_not_damage(model):
    sealed(model).set_string_custom_property("tfx_version", "1.21.0")
    model.set_int_custom_property("is_external", 0)
    assert problems(model) == []


def test_an_artifact_whose_component_left_no_folder_has_no_seal(tmp_path):
    report = standard_artifacts.ModelEvaluation()
    report.uri = str(tmp_path / "gone")
    assert not seal.is_sealed(sealed(report).mlmd_artifact)


def test_an_artifact_that_moved_is_whole_and_the_same_content(model, tmp_path):
    before = seal.content(sealed(model))
    (tmp_path / "model").rename(tmp_path / "moved")
    model.uri = str(tmp_path / "moved")
    model.id = 99
    assert problems(model) == []
    assert seal.content(model) == before


def test_other_files_and_other_properties_are_other_content(model, tmp_path):
    contents = {seal.content(sealed(model))}
    model.set_int_custom_property("blessed", 1)
    contents.add(seal.content(sealed(model)))
    (tmp_path / "model" / "saved_model.pb").write_bytes(b"graphs")
    contents.add(seal.content(sealed(model)))
    assert len(contents) == 3


def test_without_a_seal_the_identity_counts():
    one, other = standard_artifacts.Model(), standard_artifacts.Model()
    one.id, other.id = 1, 2
    assert seal.content(one) != seal.content(other)


def test_structured_properties_count_whatever_their_order(tmp_path):
    anomalies = standard_artifacts.ExampleAnomalies()
    anomalies.uri = str(tmp_path)
    anomalies.split_names = artifact_utils.encode_split_names(["train", "eval"])
    anomalies.set_json_value_custom_property("blessed", {"train": 1, "eval": 1, "test": 1})
    sealed(anomalies)
    again = standard_artifacts.ExampleAnomalies()
    again.mlmd_artifact.ParseFromString(anomalies.mlmd_artifact.SerializeToString())
    assert problems(again) == []
