import pytest

from pipeline.config.presets import PRESETS, description, named, presets


@pytest.mark.parametrize("name", presets())
def test_a_preset_begins_with_a_sentence_that_fits_a_terminal(name):
    assert description(name)[0].isupper()
    assert len(f"--config {name:<5} {description(name)}.") <= 100


def test_a_description_is_the_first_line_of_its_file():
    first = (PRESETS / "fast.yaml").read_text().splitlines()[0]
    assert first == f"# {description('fast')}."


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (None, ""),
        ("fast", "fast"),
        (str(PRESETS / "demo.yaml"), "demo"),
        ("some/folder/mine.yaml", "mine.yaml"),
    ],
)
def test_a_configuration_is_named_by_its_preset_or_its_file(source, name):
    assert named(source) == name


def test_a_file_named_like_a_preset_is_not_a_preset(tmp_path):
    (tmp_path / "fast.yaml").touch()
    assert named(str(tmp_path / "fast.yaml")) == "fast.yaml"
