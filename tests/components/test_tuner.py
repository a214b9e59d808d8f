import json

import pytest
from tfx.components.tuner import executor as tfx_executor
from tfx.types import channel, standard_artifacts

from components.tuner import Executor, Tuner
from tests.components import tiny
from trainer_module.training_error import DivergedError
from transform_module.errors import UserError


def tuner(**parameters):
    return Tuner(
        examples=channel.Channel(standard_artifacts.Examples),
        transform_graph=channel.Channel(standard_artifacts.TransformGraph),
        source=channel.Channel(standard_artifacts.Examples),
        tuner_fn="module.tuner_fn",
        custom_config={"settings": {"model": "cnn"}, "seed": 7},
        **{"batch_size": 16, "learning_rate": 0.01, "dataset_fingerprint": "f1", **parameters},
    )


def test_tuner_fn_reads_the_parameters_where_it_reads_the_settings(monkeypatch, tmp_path):
    seen = {}
    monkeypatch.setattr(
        tfx_executor.Executor, "Do", lambda self, inputs, outputs, message: seen.update(message)
    )
    data = tiny.transformed(tmp_path)
    Executor().Do(data, {}, tuner(batch_size=4).exec_properties)
    assert json.loads(seen["custom_config"]) == {
        "settings": {"model": "cnn", "batch_size": 4, "learning_rate": 0.01},
        "seed": 7,
        "dataset_fingerprint": "f1",
    }


def test_it_learns_from_one_split_and_scores_on_another():
    properties = tuner().exec_properties
    assert json.loads(properties["train_args"])["splits"] == ["train"]
    assert json.loads(properties["eval_args"])["splits"] == ["eval"]


def test_what_a_user_can_fix_is_a_users_error(monkeypatch, tmp_path):
    def fails(*_):
        raise DivergedError("the training diverged: lower the rate")

    monkeypatch.setattr(tfx_executor.Executor, "Do", fails)
    data = tiny.transformed(tmp_path)
    with pytest.raises(UserError, match="the training diverged: lower the rate"):
        Executor().Do(data, {}, tuner().exec_properties)
