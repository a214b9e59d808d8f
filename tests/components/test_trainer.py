import json

import pytest
from tfx.components.trainer import executor as tfx_executor
from tfx.types import channel, standard_artifacts

from components.trainer import Executor, Trainer
from tests.components import tiny
from trainer_module.training_error import DivergedError
from transform_module.errors import UserError


def trainer(**parameters):
    return Trainer(
        examples=channel.Channel(standard_artifacts.Examples),
        transform_graph=channel.Channel(standard_artifacts.TransformGraph),
        source=channel.Channel(standard_artifacts.Examples),
        run_fn="module.run_fn",
        custom_config={"settings": {"model": "cnn"}, "seed": 7},
        **{
            "epochs": 3,
            "batch_size": 16,
            "learning_rate": 0.01,
            "dataset_fingerprint": "f1",
            **parameters,
        },
    )


def test_run_fn_reads_the_parameters_where_it_reads_the_settings(monkeypatch, tmp_path):
    seen = {}
    monkeypatch.setattr(
        tfx_executor.GenericExecutor,
        "Do",
        lambda self, inputs, outputs, message: seen.update(message),
    )
    outputs = {"model": [], "model_run": []}
    Executor().Do(tiny.transformed(tmp_path), outputs, trainer(epochs=5).exec_properties)
    assert json.loads(seen["custom_config"]) == {
        "settings": {"model": "cnn", "epochs": 5, "batch_size": 16, "learning_rate": 0.01},
        "seed": 7,
        "dataset_fingerprint": "f1",
    }


def test_it_trains_on_one_split_and_watches_another():
    properties = trainer().exec_properties
    assert json.loads(properties["train_args"])["splits"] == ["train"]
    assert json.loads(properties["eval_args"])["splits"] == ["eval"]


def test_part_or_double_of_the_data_is_not_trained_on(monkeypatch, tmp_path):
    monkeypatch.setattr(tfx_executor.GenericExecutor, "Do", pytest.fail)
    inputs = tiny.transformed(tmp_path)
    shard = next((tmp_path / "transformed" / "Split-train").iterdir())
    shard.with_name("more.gz").write_bytes(shard.read_bytes())
    with pytest.raises(UserError, match=r"split train .* holds 8 records, the dataset has 4"):
        Executor().Do(inputs, {}, trainer().exec_properties)
    shard.with_name("more.gz").unlink()
    shard.unlink()
    with pytest.raises(UserError, match=r"split train .* holds 0 records, the dataset has 4"):
        Executor().Do(inputs, {}, trainer().exec_properties)


def test_a_damaged_shard_is_named_without_its_content(monkeypatch, tmp_path):
    monkeypatch.setattr(tfx_executor.GenericExecutor, "Do", pytest.fail)
    inputs = tiny.transformed(tmp_path)
    shard = next((tmp_path / "transformed" / "Split-train").iterdir())
    shard.write_bytes(shard.read_bytes()[:-20])
    with pytest.raises(UserError) as raised:
        Executor().Do(inputs, {}, trainer().exec_properties)
    assert str(raised.value) == f"{shard} is damaged. Run again: what is damaged is made anew."


def test_other_data_than_the_fingerprint_says_is_not_trained_on(monkeypatch, tmp_path):
    monkeypatch.setattr(tfx_executor.GenericExecutor, "Do", pytest.fail)
    properties = trainer(dataset_fingerprint="f2").exec_properties
    with pytest.raises(UserError, match=r"dataset_fingerprint is 'f2', .* dataset 'f1'"):
        Executor().Do(tiny.transformed(tmp_path), {}, properties)


def test_without_a_fingerprint_the_dataset_shows_its_own(monkeypatch, tmp_path):
    seen = {}
    monkeypatch.setattr(
        tfx_executor.GenericExecutor,
        "Do",
        lambda self, inputs, outputs, message: seen.update(message),
    )
    outputs = {"model": [], "model_run": []}
    properties = trainer(dataset_fingerprint="").exec_properties
    Executor().Do(tiny.transformed(tmp_path), outputs, properties)
    assert json.loads(seen["custom_config"])["dataset_fingerprint"] == "f1"


def test_what_a_user_can_fix_is_a_users_error(monkeypatch, tmp_path):
    def fails(*_):
        raise DivergedError("the training diverged: lower the rate")

    monkeypatch.setattr(tfx_executor.GenericExecutor, "Do", fails)
    data = tiny.transformed(tmp_path)
    with pytest.raises(UserError, match="the training diverged: lower the rate"):
        Executor().Do(data, {"model": [], "model_run": []}, trainer().exec_properties)
