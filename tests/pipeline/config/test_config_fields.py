from typing import Annotated, Literal

import pytest
import yaml
from annotated_types import Gt, Interval, MinLen
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from components.google_cloud.settings import GoogleCloudSettings
from pipeline.config.cluster_settings import ClusterSettings, ResourceSettings
from pipeline.config.config import BeamSettings, Config
from pipeline.config.config_fields import allowed, choices, inner_model, submodel, to_yaml
from pipeline.config.config_file import load
from trainer_module.settings.trainer import TrainerSettings


class Sample(BaseModel):
    whole: int = Field(1, ge=0, lt=10)
    number: Annotated[float, Gt(0)] = 0.5
    flag: bool = True
    text: str | None = Field(None, pattern="^[a-z]+$")
    choice: Literal["a", "b"] = "a"
    several: tuple[Annotated[int, Gt(0)], ...] = Field((), min_length=1, max_length=3)
    table: dict[str, float] = {}
    spanned: Annotated[float, Interval(ge=0, le=1)] = 0.5
    names: Annotated[list[str], MinLen(2)] = []
    inner: TrainerSettings = Field(default_factory=TrainerSettings)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("whole", "a whole number >= 0, < 10"),
        ("number", "a number > 0"),
        ("flag", "true or false"),
        ("text", "text or null matching ^[a-z]+$"),
        ("choice", "a | b"),
        ("several", "a list, each a whole number > 0 of 1 or more, of at most 3"),
        ("table", "keys with, each, a number"),
        ("spanned", "a number >= 0, <= 1"),
        ("names", "a list, each text of 2 or more"),
    ],
)
def test_shows_what_a_field_takes(name, words):
    assert allowed(Sample.model_fields[name]) == words


def test_a_field_that_holds_keys_takes_its_keys():
    assert allowed(Sample.model_fields["inner"]).startswith(
        "the keys model, cnn, compact, transfer, augmentation"
    )


def test_finds_the_model_that_a_field_holds():
    assert submodel(Sample.model_fields["inner"]) is TrainerSettings
    assert submodel(Sample.model_fields["several"]) is None


def loaded(tmp_path_factory, config):
    path = tmp_path_factory.mktemp("config") / "config.yaml"
    path.write_text(to_yaml(config), encoding="utf-8")
    return load(str(path))


def test_the_whole_configuration_loads_back_equal(tmp_path_factory):
    assert loaded(tmp_path_factory, Config()) == Config()


@settings(max_examples=50)
@given(
    text=st.text(),
    arguments=st.lists(st.text(), max_size=3),
    rate=st.floats(0, exclude_min=True, allow_infinity=False),
)
def test_any_text_and_number_loads_back_equal(tmp_path_factory, text, arguments, rate):
    config = Config(
        images=text,
        beam=BeamSettings(args=tuple(arguments)),
        trainer=TrainerSettings(learning_rate=rate),
    )
    assert loaded(tmp_path_factory, config) == config


def test_every_key_is_under_a_comment_of_its_meaning_default_and_bounds():
    text = to_yaml(Config(seed=11))
    assert (
        "# The one seed: synthetic images, split of the patients, training. Default 7; a whole "
        "number >= 0, <\n# 2147483648.\nseed: 11\n" in text
    )
    lines = text.splitlines()
    keys = [number for number, line in enumerate(lines) if not line.lstrip().startswith("#")]
    assert all(lines[number - 1].lstrip().startswith("# ") for number in keys)


def test_any_yaml_reader_understands_it():
    read = yaml.safe_load(to_yaml(Config()))
    assert read == Config().model_dump(mode="json")


def test_no_line_is_too_long_for_a_terminal():
    assert max(map(len, to_yaml(Config()).splitlines())) <= 100


def test_what_components_are_given_loads_back(tmp_path):
    given = 'cluster.resources={"Trainer": {"cpu": 4, "retries": 2}}'
    config = load(None, [given])
    file = tmp_path / "config.yaml"
    file.write_text(to_yaml(config))
    assert load(str(file)) == config


def test_the_model_within_a_field_is_found_with_how_it_is_reached():
    assert inner_model(ClusterSettings.model_fields["resources"]) == (ResourceSettings, True)
    assert inner_model(ClusterSettings.model_fields["google_cloud"]) == (GoogleCloudSettings, False)
    assert inner_model(ClusterSettings.model_fields["image"]) == (None, False)


def test_the_texts_that_a_type_allows_are_those_of_all_its_parts():
    assert choices(Literal["a", 1] | tuple[Literal["b"], ...] | None) == ["a", "b"]
    assert choices(str) == []
