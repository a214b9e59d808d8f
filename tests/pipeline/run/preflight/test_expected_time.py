import pytest

from pipeline.config.config_file import load
from pipeline.run.preflight.expected_time import MEASURED, expected, unchanged_since
from pipeline.run_records.run_record import DataRecord
from tests.pipeline import records

FAST = load("fast")


def earlier(config=FAST, **changes):
    data = DataRecord(splits={"train": {"NORMAL": 400, "PNEUMONIA": 600}, "eval": {"NORMAL": 200}})
    made = {"epoch_seconds": [9.0, 2.0, 2.0], "data": data, **changes}
    return records.run("20260301-1", config=config.model_dump(mode="json"), **made)


def test_without_an_earlier_run_the_measured_figure_counts():
    found = expected(FAST, 5233, [])
    assert found.per_image == MEASURED["compact"]
    assert found.run == ""
    # The README's table: 2.7 minutes.
    assert 2 < found.high / 60 < 4


def test_the_other_presets_take_about_what_the_readme_says():
    assert 14 < expected(load("best"), 5233, []).high / 60 < 22
    kaggle = expected(load("kaggle"), 5233, [])
    assert kaggle.low / 60 < 8 < kaggle.high / 60 < 30


def test_an_earlier_run_of_the_same_training_counts_by_its_median_epoch():
    found = expected(FAST, 5233, [earlier()])
    assert found.run == "20260301-1"
    assert found.per_image == pytest.approx(2.0 / 1000)


def test_the_latest_of_the_earlier_runs_counts():
    later = earlier(epoch_seconds=[4.0]).model_copy(update={"id": "20260302-1"})
    found = expected(FAST, 5233, [earlier(), later])
    assert (found.run, found.per_image) == ("20260302-1", pytest.approx(4.0 / 1000))


@pytest.mark.parametrize(
    "other",
    [
        earlier(load("best")),
        earlier(load("fast", ["trainer.batch_size=64"])),
        earlier(load("fast", ["trainer.compact.filters=[8, 16]"])),
        earlier(epoch_seconds=[]),
        earlier(data=None),
        earlier(data=DataRecord()),
        records.run(config={"trainer": 3}, epoch_seconds=[1.0], data=DataRecord()),
        records.run(config={}, epoch_seconds=[1.0], data=DataRecord()),
    ],
)
def test_another_training_and_a_run_without_epochs_say_nothing(other):
    assert expected(FAST, 5233, [other]).run == ""


def test_layers_that_nobody_measured_have_no_estimate():
    assert expected(load("fast", ["trainer.compact.filters=[8, 16]"]), 5233, []) is None
    assert expected(load("best", ["trainer.transfer.backbone=mobilenet_v2"]), 5233, []) is None


def test_other_dropout_takes_the_same_time():
    assert expected(load("fast", ["trainer.compact.dropout=0.5"]), 5233, [])


def test_a_training_that_may_stop_early_has_a_range():
    found = expected(load(None, ["trainer.patience=4", "trainer.epochs=20"]), 5233, [])
    epoch = (found.high - found.low) / 15
    assert epoch == pytest.approx(0.7 * 5233 * MEASURED["cnn"])


def test_members_and_trials_take_their_time():
    one = expected(FAST, 5233, []).high
    assert expected(load("fast", ["trainer.folds=5"]), 5233, []).high > 3 * one
    assert expected(load("search"), 5233, []).high > 5 * one


def test_an_ensemble_that_ran_here_counts_by_the_images_of_a_member():
    five = load("fast", ["trainer.folds=5"])
    assert expected(five, 1200, [earlier(five)]).per_image == pytest.approx(2.0 / 960)


def test_a_complete_run_of_the_same_configuration_is_found():
    assert unchanged_since(FAST, [earlier()]) == "20260301-1"
    assert unchanged_since(FAST, [earlier(state="failed")]) == ""
    assert unchanged_since(FAST, [earlier(load("best"))]) == ""
