import json
import re

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_module.settings.search import (
    Range,
    TunerSettings,
    chosen,
    encoded,
    misfits,
    setting,
    values_of,
)
from trainer_module.settings.trainer import TrainerSettings


def read(**settings):
    return TunerSettings.model_validate_json(json.dumps(settings), strict=True)


def test_settings_survive_json():
    settings = read(
        space={"compact.filters": [[8, 16], [16]], "learning_rate": {"min": 1, "max": 2}}
    )
    assert read(**settings.model_dump(mode="json")) == settings
    assert TunerSettings(**settings.model_dump(mode="json")) == settings


def test_keys_in_keys_are_read_as_one():
    space = read(
        space={"augmentation": {"zoom": {"min": 0, "max": 0.2}, "flip": [True, False]}}
    ).space
    assert space == {"augmentation.zoom": Range(min=0, max=0.2), "augmentation.flip": [True, False]}


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (
            {"learning_rat": [1e-3]},
            "learning_rat: trainer has no such key. Did you mean learn",
        ),
        ({"augmentation.zom": [0.1]}, "Did you mean augmentation.zoom?"),
        ({"augmentation": [0.1]}, "augmentation: trainer has no such key"),
        ({"qqq": [1]}, "qqq: trainer has no such key."),
        (
            {"select_by": ["eval", "worst_shift"]},
            "select_by cannot be searched for: it is what the trials are compared by",
        ),
        ({"epochs": [3, 4]}, "epochs cannot be searched for: the trials have tuner.epochs"),
        ({"operating_point.sensitivity": [0.9]}, "it changes no trial's score"),
        ({"learning_rate": {"min": -1, "max": 1}}, "learning_rate cannot be -1: Input should be"),
        ({"learning_rate": [1e-3, "x"]}, 'learning_rate cannot be "x"'),
        ({"compact.blocks": [1, 2.5]}, "compact.blocks cannot be 2.5"),
        ({"compact.blocks": {"min": 1, "max": 2.5}}, "compact.blocks cannot be 2.5"),
        ({"decay": {"min": 1, "max": 2}}, "decay is not a number; give a list of values"),
        ({"augmentation.flip": {"min": 0, "max": 1}}, "augmentation.flip is not a number"),
        ({"learning_rate": {"min": 1, "mx": 2}}, "no {min: NUMBER, max: NUMBER, log: true} (max:"),
        ({"learning_rate": {"min": "a", "max": 2}}, "(min: "),
        ({"learning_rate": 3}, "learning_rate: 3 is not a list of values"),
        ({"learning_rate": []}, "learning_rate has no values"),
        ({"learning_rate": {"min": 2, "max": 1}}, "min is 2, and max, 1, is not above it"),
        ({"learning_rate": {"min": 0, "max": 1, "log": True}}, "has no logarithm"),
        ({}, "at least 1 item"),
    ],
)
def test_an_impossible_space_is_refused_with_its_reason(space, message):
    with pytest.raises(pydantic.ValidationError, match=re.escape(message)):
        read(space=space)


def test_values_take_the_place_of_settings():
    found = chosen(TrainerSettings(), {"augmentation.zoom": 0.3, "compact.filters": [8, 16]})
    assert found.augmentation.zoom == setting("augmentation.zoom", found) == 0.3
    assert found.compact.filters == (8, 16)
    assert chosen(found, {"augmentation.zoom": 0.1, "compact.filters": [16, 32, 64, 128]}) == (
        TrainerSettings()
    )


@given(
    st.lists(st.integers(-5, 5)) | st.integers() | st.text(st.characters(exclude_characters="["))
)
def test_values_are_read_back_from_what_keras_tuner_writes(value):
    typed = tuple(value) if isinstance(value, list) else value
    config = {"space": [], "values": {"a.b": encoded(typed), "tuner/epochs": 3}}
    assert values_of(config) == {"a.b": value}


def fit(trainer=None, **settings):
    return list(misfits(read(**settings), TrainerSettings(**(trainer or {}))))


def test_what_the_chosen_model_never_reads_is_reported():
    space = {"compact.blocks": [1, 2], "learning_rate": [1e-3]}
    (message,) = fit(space=space)
    assert message == "tuner.space.compact.blocks decides nothing, because trainer.model is cnn"
    assert fit({"model": "compact"}, space=space) == []
    assert fit(space={**space, "model": ["cnn", "compact"]}) == []


def test_workers_of_one_training_cannot_search():
    (message,) = fit({"strategy": "multi_worker"})
    assert "run trials side by side instead" in message
