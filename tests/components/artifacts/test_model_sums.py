import pytest
from tfx.types import standard_artifacts

from components.artifacts import model_sums
from transform_module.errors import UserError
from transform_module.files.sums import SUMS, record, sums


@pytest.fixture
def model(tmp_path):
    saved = tmp_path / "model" / "Format-Serving"
    saved.mkdir(parents=True)
    (saved / "saved_model.pb").write_bytes(b"graph")
    record(saved)
    artifact = standard_artifacts.Model()
    artifact.uri = str(tmp_path / "model")
    return artifact


@pytest.fixture
def blessing(tmp_path):
    artifact = standard_artifacts.ModelBlessing()
    artifact.uri = str(tmp_path / "blessing")
    return artifact


def test_a_blessing_shows_which_model_was_examined(model, blessing, tmp_path):
    files = model_sums.examine(model)
    assert files == sums(tmp_path / "model" / "Format-Serving") == model_sums.trained(model)
    model_sums.record(blessing, files)
    assert model_sums.blessed(blessing) == files
    assert len(blessing.get_string_custom_property(model_sums.DIGEST)) == 64


@pytest.mark.parametrize("content", [b"gr", b"", None])
def test_a_damaged_model_is_not_examined(model, tmp_path, content):
    file = tmp_path / "model" / "Format-Serving" / "saved_model.pb"
    file.unlink() if content is None else file.write_bytes(content)
    with pytest.raises(UserError, match=f"{file}: .*Remove {model.uri} and run again"):
        model_sums.examine(model)


@pytest.mark.parametrize("text", [None, "", "{}", "[" * 9])
def test_a_model_without_a_record_is_not_examined(model, tmp_path, text):
    path = tmp_path / "model" / SUMS
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(UserError, match="nobody knows whether the model is as it was trained"):
        model_sums.examine(model)


def test_a_blessing_whose_record_was_exchanged_says_nothing(model, blessing, tmp_path):
    model_sums.record(blessing, model_sums.examine(model))
    (tmp_path / "blessing" / SUMS).write_text('{"files": {"saved_model.pb": "0"}}')
    with pytest.raises(UserError, match="nobody knows which model was examined"):
        model_sums.blessed(blessing)
