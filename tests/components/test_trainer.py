import json

import pytest
from tfx.components.trainer import executor as tfx_executor
from tfx.types import channel, standard_artifacts

from components.errors import UserError
from components.trainer import Executor, Trainer
from trainer_module.errors import DivergedError


def trainer(**parameters):
    return Trainer(
        examples=channel.Channel(standard_artifacts.Examples),
        transform_graph=channel.Channel(standard_artifacts.TransformGraph),
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


def test_run_fn_reads_the_parameters_where_it_reads_the_settings(monkeypatch):
    seen = {}
    monkeypatch.setattr(
        tfx_executor.GenericExecutor, "Do", lambda self, inputs, outputs, told: seen.update(told)
    )
    outputs = {"model": [], "model_run": []}
    Executor().Do({}, outputs, trainer(epochs=5).exec_properties)
    assert json.loads(seen["custom_config"]) == {
        "settings": {"model": "cnn", "epochs": 5, "batch_size": 16, "learning_rate": 0.01},
        "seed": 7,
        "dataset_fingerprint": "f1",
    }


def test_it_trains_on_one_split_and_watches_another():
    properties = trainer().exec_properties
    assert json.loads(properties["train_args"])["splits"] == ["train"]
    assert json.loads(properties["eval_args"])["splits"] == ["eval"]


def test_what_a_user_can_fix_is_a_users_error(monkeypatch):
    def fails(*_):
        raise DivergedError("the training diverged: lower the rate")

    monkeypatch.setattr(tfx_executor.GenericExecutor, "Do", fails)
    with pytest.raises(UserError, match="the training diverged: lower the rate"):
        Executor().Do({}, {"model": [], "model_run": []}, trainer().exec_properties)
