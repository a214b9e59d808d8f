import json
import re

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.config.config import Config
from pipeline.config.config_file import load
from pipeline.config.presets import PRESETS, presets
from tests.pipeline.config.test_config import fields
from transform_module.errors import UserError
from transform_module.text import printable


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "config.yaml"

    def write(content):
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def mistakes(*overrides, source=None):
    with pytest.raises(UserError) as caught:
        load(source, overrides)
    return str(caught.value)


def test_nothing_said_is_all_defaults(file):
    assert load() == Config()
    assert load(file("")) == Config()
    assert load(file("# nothing\n")) == Config()


def test_what_a_file_says_is_taken_and_the_rest_keeps_its_default(file):
    config = load(file("seed: 9\ntrainer:\n  epochs: 3\n  cnn: {filters: [8, 16]}\n"))
    assert (config.seed, config.trainer.epochs, config.trainer.cnn.filters) == (9, 3, (8, 16))
    assert config.trainer.patience == Config().trainer.patience


def test_an_override_wins_over_the_file(file):
    source = file("seed: 9\ntrainer: {epochs: 3, patience: 2}\n")
    config = load(source, ["trainer.epochs=4", "beam.args=[--a=b, --c]"])
    assert (config.seed, config.trainer.epochs, config.trainer.patience) == (9, 4, 2)
    assert config.beam.args == ("--a=b", "--c")


def test_a_later_override_wins_over_a_former():
    assert load(None, ["seed=1", "seed=2"]).seed == 2
    assert load(None, ["trainer={epochs: 3}", "trainer.patience=2"]).trainer.epochs == 3


@pytest.mark.parametrize("name", presets())
def test_a_preset_loads_by_name_and_by_path(name):
    assert load(name) == load(str(PRESETS / f"{name}.yaml"))


def test_the_demo_and_kaggle_are_shipped():
    assert {"demo", "kaggle"} <= set(presets())


@pytest.mark.parametrize(
    ("text", "rate"),
    [("1e-3", 1e-3), ("1E-3", 1e-3), ("1.5e3", 1500.0), ("1.e-3", 1e-3), (".5e-3", 5e-4), ("1", 1)],
)
def test_a_number_is_read_as_people_write_it(file, text, rate):
    assert load(None, [f"trainer.learning_rate={text}"]).trainer.learning_rate == rate
    assert load(file(f"trainer:\n  learning_rate: {text}\n")).trainer.learning_rate == rate


@pytest.mark.parametrize("text", ["2024-01-01", "1e-3e", "12:30pm", "'1e-3'", '"\\ud83d\\ude00"'])
def test_what_is_not_a_number_stays_text(text):
    assert load(None, [f"images={text}"]).images == json.loads(
        f'"{text}"' if text[0] not in "'\"" else text.replace("'", '"')
    )


def test_an_unknown_key_is_named_with_the_nearest(file):
    source = file("seed: 1\ntrainer:\n  epoch: 3\n")
    message = mistakes(source=source)
    assert (
        f"  {source}:3: trainer.epoch: there is no such key. Did you mean trainer.epochs?"
        in message
    )
    assert (
        "Keys under trainer: model, cnn, compact, transfer, augmentation, folds, epochs" in message
    )


def test_an_unknown_key_that_is_like_none_gets_all_keys():
    message = mistakes("zzz=1")
    assert "--set zzz=1: zzz: there is no such key. Keys at the top: name, seed" in message
    assert "Did you mean" not in message


def test_an_unknown_room_is_named_where_it_was_written():
    message = mistakes("trainr.epochs=3")
    assert "--set trainr.epochs=3: trainr: there is no such key. Did you mean trainer?" in message


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("epochs", "trainer.epochs"),
        ("learning_rate", "trainer.learning_rate"),
        ("lerning_rate", "trainer.learning_rate"),
        ("dataset.epochs", "trainer.epochs"),
        ("trainer.epoch", "trainer.epochs"),
    ],
)
def test_a_key_is_found_at_whatever_level_it_is(key, meant):
    with pytest.raises(UserError, match=rf"{key}: there is no such key\. Did you mean {meant}\?"):
        load(overrides=[f"{key}=1"])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("trainer.model=compct", "Did you mean compact?"),
        ("trainer.jit_compile=ato", 'trainer.jit_compile: received "ato"; '),
        ("trainer.jit_compile=ato", "Did you mean auto?"),
        ("trainer.operating_point.target=sensitvity", "Did you mean sensitivity?"),
        ("report.dataset=kermany", "Did you mean kermany-2018?"),
        ("orchestrator=bem", "Did you mean beam?"),
        ("cluster.resources.Trainer.cpus=3", "Did you mean cluster.resources.Trainer.cpu?"),
        ("cluster.resources.Trainer.cpus=3", "Keys under cluster.resources.Trainer: cpu, memory"),
        (
            "cluster.google_cloud={project: p, region: r, endpoint: {nam: e}}",
            "Did you mean cluster.google_cloud.endpoint.name?",
        ),
        (
            "cluster.google_cloud.endpoint.traffic=3",
            "cluster.google_cloud.project: this key is missing; allowed: text",
        ),
    ],
)
def test_the_nearest_name_or_key_is_proposed_at_every_depth(override, message):
    assert message in mistakes(override)


def test_a_file_that_was_probably_meant_is_named(tmp_path):
    (tmp_path / "mine.yaml").touch()
    with pytest.raises(UserError, match=rf"Did you mean {tmp_path}/mine\.yaml\?"):
        load(str(tmp_path / "mine.yml"))


@pytest.mark.parametrize(("given", "meant"), [("fasst", "fast"), ("Kaggle", "kaggle")])
def test_a_preset_that_was_probably_meant_is_named(given, meant):
    with pytest.raises(UserError, match=rf"configuration file {given}\. Did you mean {meant}\?"):
        load(given)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("trainer.epochs=many", 'trainer.epochs: received "many"; allowed: a whole number > 0'),
        ("trainer.epochs=3.5", "trainer.epochs: received 3.5; allowed: a whole number > 0"),
        ("trainer.epochs=true", "trainer.epochs: received true; allowed: a whole number > 0"),
        ("trainer.epochs='3'", 'trainer.epochs: received "3"; allowed: a whole number > 0'),
        ("trainer.epochs=", "trainer.epochs: received null; allowed: a whole number > 0"),
        ("trainer.epochs=0", "trainer.epochs: received 0; allowed: a whole number > 0"),
        ("trainer.augmentation.flip=1", "received 1; allowed: true or false"),
        ("trainer.learning_rate=.inf", 'received ".inf"; allowed: a number > 0'),
        ("trainer.learning_rate=1e999", 'received "1e999"; allowed: a number > 0'),
        ("trainer.warmup_epochs=.nan", 'received ".nan"; allowed: a number >= 0'),
        ("trainer.operating_point.threshold=1", "received 1; allowed: a number > 0, < 1"),
        ("orchestrator=airflow", 'received "airflow"; allowed: local | beam'),
        ("trainer=3", "trainer: received 3; allowed: the keys model, cnn"),
        ("trainer=null", "trainer: received null; allowed: the keys model, cnn"),
        ("seed.x=1", 'seed: received {"x": 1}; allowed: a whole number'),
        ("trainer.cnn.filters=[32, -1]", "trainer.cnn.filters.1: received -1; allowed: a list"),
        ("trainer.cnn.filters=[]", "trainer.cnn.filters: received []; allowed: a list"),
        ("beam.args=[3]", "beam.args.0: received 3; allowed: a list, each text"),
        ("dataset.patient_pattern='(('", "dataset.patient_pattern: not a regular expression"),
        ("dataset.patient_pattern=abc", "needs a group that holds the patient's id"),
        ("''=1", "'': there is no such key"),
    ],
)
def test_a_mistake_shows_what_was_received_and_what_is_allowed(override, message):
    assert message in mistakes(override)


def test_a_long_value_is_cut():
    line = mistakes(f"seed=[{'1, ' * 100}1]").splitlines()[1]
    assert "1, 1...; allowed: a whole number" in line


def test_several_mistakes_are_reported_at_once_each_with_its_place(file):
    source = file("sed: 1\ntrainer:\n  epochs: -1\n  cnn:\n    kernel_size: 12\n")
    message = mistakes("push.model_name=a b", source=source).splitlines()
    assert message[0] == "4 mistakes in the configuration:"
    for place in (f"{source}:1: sed", f"{source}:3: trainer.epochs", f"{source}:5: trainer.cnn"):
        assert sum(line.startswith(f"  {place}") for line in message) == 1
    assert any(
        line.startswith("  --set push.model_name=a b: push.model_name: ") for line in message
    )
    assert message[-1] == "Every key with its meaning and default: cxr config --show"


def test_one_mistake_is_counted_as_one():
    assert mistakes("seed=-1").startswith("1 mistake in the configuration:\n")


def test_a_mistake_in_an_override_is_not_put_down_to_the_file(file):
    source = file("trainer:\n  epochs: 3\n")
    message = mistakes("trainer={epochs: -1}", source=source)
    assert "  --set trainer={epochs: -1}: trainer.epochs: received -1" in message
    assert source not in message


def test_a_mistake_in_the_file_is_not_put_down_to_an_override(file):
    source = file("trainer:\n  epochs: -1\n")
    message = mistakes("trainer.patience=3", source=source)
    assert f"  {source}:2: trainer.epochs: received -1" in message
    assert "--set" not in message


def test_a_key_that_is_twice_is_reported_with_both_places(file):
    source = file("trainer:\n  epochs: 3\n  patience: 1\n  epochs: 4\n")
    message = mistakes(source=source)
    assert message == f"{source}:4: trainer.epochs is set twice; the first is at {source}:2."


def test_a_key_that_is_twice_in_an_override_is_reported():
    assert "trainer.epochs is set twice" in mistakes("trainer={epochs: 1, epochs: 2}")


@pytest.mark.parametrize("override", ["seed", "=3", "trainer..epochs=3", ".seed=3", "", "seed: 3"])
def test_an_override_of_another_form_is_reported(override):
    assert "write key=value, such as --set trainer.epochs=3" in mistakes(override)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("{", "is not valid YAML: expected the node content"),
        ("!!int a", "is not valid YAML: invalid literal"),
        ("!!python/name:os.system a", "is not valid YAML: could not determine a constructor"),
        ("9" * 5000, "is not valid YAML: Exceeds the limit"),
        ('"\\ud800"', "is not valid YAML: "),
        ("&a [*a]", "holds what no configuration can: Circular"),
        ("&a {b: *a}", "holds what no configuration can: Circular"),
        ("[" * 1000, "holds what no configuration can: maximum recursion"),
        ("{!!binary aGk=: 1}", "seed.aGk=: a key must be text"),
    ],
)
def test_an_invalid_value_is_reported(file, value, problem):
    message = mistakes(f"seed={value}")
    assert f"--set seed={value}" in message
    assert problem in message
    assert problem in mistakes(source=file(f"seed: {value}"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("seed: 1\ntrainer: {\n", ":3 is not valid YAML: expected the node content"),
        ("seed: 1\nname: !!int x\n", ":2 is not valid YAML: invalid literal"),
        ("seed: \x00", " is not valid YAML: "),
        (b"name: \xff", " is not UTF-8 text (byte 6)."),
        ("- a\n- b\n", " must hold `key: value` lines, not a list."),
        ("just text", " must hold `key: value` lines, not a str."),
        ("a: 1\n---\nb: 2\n", ":2 is not valid YAML: but found another document"),
    ],
)
def test_a_file_that_is_not_a_configuration_is_reported(file, content, message):
    source = file(content)
    assert mistakes(source=source).startswith(f"{source}{message}")


def test_a_file_that_cannot_be_read_is_reported(file, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    source = file("seed: 1")
    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    assert mistakes(source=source) == f"{source} cannot be read: Permission denied."


def test_a_file_that_is_not_there_is_reported_with_the_presets(tmp_path):
    message = mistakes(source=str(tmp_path / "absent.yaml"))
    assert "There is no configuration file" in message
    assert "best, demo, fast, kaggle" in message


LEAVES = [path for path, _ in fields()]

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(
    scalars | st.dates() | st.datetimes() | st.binary(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def refusal(source=None, overrides=()):
    """Why a configuration is refused; None where it loads."""
    try:
        load(source, overrides)
    except UserError as error:
        return str(error)
    return None


@example(path="name", value={"0E0": None})
@example(path="trainer.jit_compile", value=7)
@settings(max_examples=300)
@given(path=st.sampled_from(LEAVES), value=values)
def test_any_value_at_any_key_loads_or_is_refused_by_name(tmp_path_factory, path, value):
    nested = value
    for key in reversed(path.split(".")):
        nested = {key: nested}
    file = tmp_path_factory.mktemp("config") / "config.yaml"
    file.write_text(yaml.safe_dump(nested), encoding="utf-8")
    message = refusal(str(file))
    assert message is None or re.search(rf":[0-9]+: {re.escape(path)}[.:]", message)
    message = refusal(None, [f"{path}={yaml.safe_dump(value, width=10**6)}"])
    assert message is None or f"--set {path}" in message


@settings(max_examples=200)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_file_loads_or_is_refused_in_words(tmp_path_factory, content):
    file = tmp_path_factory.mktemp("config") / "config.yaml"
    file.write_bytes(content)
    assert str(file) in (refusal(str(file)) or str(file))


@example("[=")
@example("a[b]=3")
@given(st.text(max_size=40))
def test_any_override_loads_or_is_refused_in_words(override):
    message = refusal(None, [override])
    assert message is None or printable(f"--set {override}", keep="\n\t") in message


@pytest.mark.parametrize(
    ("text", "key"), [("?", "null"), ("1: 2", "1"), ("trainer: {yes: 1}", "yes")]
)
def test_a_key_that_is_not_text_is_named(tmp_path, text, key):
    source = tmp_path / "mine.yaml"
    source.write_text(text)
    with pytest.raises(UserError, match=rf"mine\.yaml:1: (trainer\.)?{key}: a key must be text"):
        load(str(source))


BOMB = "\n".join(
    f"{name}: &{name} [{', '.join([former] * 9)}]"
    for former, name in [("x", "a"), *((f"*{chr(c)}", chr(c + 1)) for c in range(ord("a"), 108))]
)


def test_aliases_of_aliases_that_unfold_to_billions_of_values_are_refused_unread(file):
    source = file(BOMB)
    assert len(BOMB) < 600
    assert mistakes(source=source) == (
        f"{source} holds what no configuration can: more than 10,000 values, once its aliases are "
        "resolved."
    )
    assert "more than 10,000 values" in mistakes(f"trainer={{{BOMB.replace(chr(10), ', ')}}}")


def test_an_alias_that_repeats_a_value_is_understood(file):
    assert load(file("trainer: {epochs: &n 3, batch_size: *n}")).trainer.batch_size == 3


def test_a_file_longer_than_any_configuration_is_refused(file):
    assert "longer than any configuration" in mistakes(source=file("# " + "x" * 2**20))
