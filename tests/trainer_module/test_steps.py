"""What can be shown about strategies without the hardware.

Each case runs in processes of its own: devices and workers are set before TensorFlow starts.
"""

import json
import os
import socket
import subprocess
import sys
from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.trainer_module import small
from trainer_module import data, models
from trainer_module.steps import Steps


def make(strategy, *, batch_size, synchronized=False, precision="float32"):
    keras.utils.set_random_seed(7)
    return Steps(
        strategy,
        partial(models.build, small.SETTINGS, synchronized=synchronized, precision=precision),
        learning_rate=1e-3,
        global_batch_size=batch_size,
    )


def train(steps, *, batch_size, replicas, epochs=2):
    """Trains two epochs; returns the figures of each and a sum of the weights."""
    pictures = small.pictures()
    rows = []
    for epoch in range(epochs):
        batches = data.training_batches(
            pictures,
            batch_size=batch_size,
            epoch=epoch,
            seed=7,
            augmentation=small.SETTINGS.augmentation,
            class_weights=(1.5, 0.5),
        )
        evaluation = data.evaluation_batches(
            small.pictures(21, seed=1), batch_size=batch_size, multiple_of=replicas
        )
        rows.append({"train": steps.train(batches), "eval": steps.evaluate(evaluation)})
    weights = [float(np.abs(weight).sum()) for weight in steps.model.get_weights()]
    return {"epochs": rows, "weights": weights}


def one_device():
    return train(
        make(tf.distribute.OneDeviceStrategy("/cpu:0"), batch_size=16), batch_size=16, replicas=1
    )


def two_devices():
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])
    return train(make(strategy, batch_size=16, synchronized=True), batch_size=8, replicas=2)


def one_of_two_workers():
    from trainer_module import strategy

    steps = make(strategy.create("multi_worker"), batch_size=16, synchronized=True)
    return train(steps, batch_size=8, replicas=2)


def start(case, **environment):
    code = f"import json; from {__name__} import {case}; print(json.dumps({case}()))"
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def result(process):
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err[-3000:]
    return json.loads(out.splitlines()[-1])


@pytest.fixture(scope="module")
def alone():
    return result(start("one_device"))


def assert_same_training(actual, expected, tolerance):
    for mine, other in zip(actual["epochs"], expected["epochs"], strict=True):
        for phase in ("train", "eval"):
            assert mine[phase]["loss"] == pytest.approx(other[phase]["loss"], rel=tolerance)
            assert mine[phase]["auc"] == pytest.approx(other[phase]["auc"], abs=0.02)
    assert actual["weights"] == pytest.approx(expected["weights"], rel=tolerance)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_training(alone):
    assert result(start("one_device")) == alone


@pytest.mark.slow
def test_two_devices_train_as_one_on_the_doubled_batch(alone):
    assert_same_training(result(start("two_devices")), alone, tolerance=1e-3)


@pytest.mark.slow
def test_two_workers_end_equal_and_as_one_on_the_doubled_batch(alone):
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        hosts = [f"127.0.0.1:{one.getsockname()[1]}" for one in (first, second)]
    workers = [
        start(
            "one_of_two_workers",
            TF_CONFIG=json.dumps(
                {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}}
            ),
        )
        for index in range(2)
    ]
    first_result, second_result = (result(worker) for worker in workers)
    assert first_result["weights"] == second_result["weights"]
    assert_same_training(first_result, alone, tolerance=1e-3)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_loss_goes_down(precision):
    steps = make(tf.distribute.get_strategy(), batch_size=8, precision=precision)
    rows = train(steps, batch_size=8, replicas=1, epochs=4)["epochs"]
    assert rows[-1]["train"]["loss"] < 0.7 * rows[0]["train"]["loss"]


def test_the_train_step_compiles_under_xla_with_static_shapes_and_no_strings():
    steps = make(tf.distribute.get_strategy(), batch_size=8)
    compiled = tf.function(
        steps.train_step,
        jit_compile=True,
        input_signature=[
            tf.TensorSpec([8, 160, 160, 1]),
            tf.TensorSpec([8]),
            tf.TensorSpec([8]),
        ],
    )
    graph = compiled.get_concrete_function().graph
    tensors = [tensor for op in graph.get_operations() for tensor in op.outputs]
    assert all(tensor.dtype != tf.string for tensor in tensors)
    batch = next(
        iter(
            data.training_batches(
                small.pictures(),
                batch_size=8,
                epoch=0,
                seed=7,
                augmentation=small.SETTINGS.augmentation,
                class_weights=(1.0, 1.0),
            )
        )
    )
    before = [weight.numpy() for weight in steps.model.trainable_variables]
    compiled(*batch)
    after = [weight.numpy() for weight in steps.model.trainable_variables]
    assert all(np.isfinite(weight).all() for weight in after)
    assert any((old != new).any() for old, new in zip(before, after, strict=True))
