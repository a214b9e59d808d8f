import pytest

from serving.versions.rolled_back import RolledBack, from_json, to_json
from transform_module.errors import UserError

LEFT = RolledBack(17, "d1", "r1")


def test_what_is_written_is_read():
    left = [LEFT, RolledBack(18, "d2")]
    assert from_json(to_json(left), "file") == left


@pytest.mark.parametrize(
    ("digest", "recipe", "is_model"),
    [("d1", "r2", True), ("d2", "r1", True), ("d2", "r2", False), ("d2", "", False)],
)
def test_a_model_is_known_by_its_bytes_or_by_its_recipe(digest, recipe, is_model):
    assert LEFT.is_model(digest, recipe) == is_model


def test_a_lost_recipe_is_not_a_recipe():
    assert not RolledBack(17, "d1").is_model("d2", "")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"versions": 1}', '{"versions": [{}]}'])
def test_a_damaged_file_is_named(text):
    with pytest.raises(UserError, match=r"folder/file cannot be read, .* Restore the file"):
        from_json(text, "folder/file")
