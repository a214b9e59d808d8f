import pytest

from pipeline.config.config_file import load
from pipeline.run.preflight.announcement import _span, announce
from tests.pipeline import records


def test_a_run_without_a_preset_says_what_it_trains_and_what_else_there_is():
    lines = announce(load(None, ["images=x"]), None, 5233, [])
    assert lines[0] == "No preset: model cnn, 52.6 million parameters, at most 25 epochs."
    assert lines[1].startswith("Expected: about ")
    assert "5,233 images, as measured on two CPU cores" in lines[1]
    assert lines[2].startswith("--config fast  ")
    assert lines[3].startswith("--config best  ")
    assert len(lines) == 4


def test_without_images_the_preset_of_the_synthetic_ones_is_named():
    assert any(line.startswith("--config demo") for line in announce(load(), None, 600, []))


def test_a_preset_is_named_and_no_other_one_proposed():
    lines = announce(load("fast"), "fast", 5233, [])
    assert lines[0] == "Preset fast: model compact, 0.3 million parameters, 20 epochs."
    assert len(lines) == 2


def test_a_file_is_named_and_not_called_a_preset(tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("seed: 3\n")
    assert announce(load(), str(mine), 600, [])[0].startswith("mine.yaml: model cnn, 52.6")


def test_who_chose_another_model_gets_no_advice():
    config = load(None, ["trainer.model=compact", "trainer.folds=5"])
    lines = announce(config, None, 600, [])
    assert lines[0].startswith("Model 5 x compact, 1.5 million parameters")
    assert not any("--config" in line for line in lines)


def test_small_layers_are_counted_exactly_and_not_estimated():
    config = load(None, ["trainer.cnn.filters=[4]", "trainer.cnn.dense_units=[]"])
    lines = announce(config, None, 600, [])
    assert "model cnn, 25,657 parameters" in lines[0]
    assert "no estimate" in lines[1]


def test_an_earlier_run_of_the_same_configuration_is_named():
    config = load("fast")
    record = records.run(config=config.model_dump(mode="json"))
    lines = announce(config, "fast", 600, [record])
    assert f"if nothing changed since run {record.id}" in lines[2]


@pytest.mark.parametrize("source", [None, "fast", "best", "kaggle", "demo", "search"])
def test_it_is_short_and_fits_80_columns(source):
    config = load(source, ["images=x"])
    record = records.run(config=config.model_dump(mode="json"))
    lines = announce(config, source, 123_456, [record])
    assert len(lines) <= 5
    assert max(map(len, lines[:3])) <= 80
    assert max(map(len, lines)) <= 90


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (52, 54, "50 seconds"),
        (31, 88, "30 to 90 seconds"),
        (66, 400, "70 seconds to 7 minutes"),
        (400, 1500, "7 to 25 minutes"),
        (3000, 9000, "50 minutes to 2.5 hours"),
        (7200, 7210, "2.0 hours"),
    ],
)
def test_a_time_is_rounded(low, high, text):
    assert _span(low, high) == text
