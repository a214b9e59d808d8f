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

# All that is done to losses, gradients and weights.
SETTINGS = small.SETTINGS.model_copy(
    update={
        "label_smoothing": 0.05,
        "focal_gamma": 0.5,
        "weight_decay": 0.02,
        "clip_norm": 0.3,
        "ema_momentum": 0.8,
    }
)


def make(strategy, *, batch_size, synchronized=False, precision="float32", settings=small.SETTINGS):
    keras.utils.set_random_seed(7)
    return Steps(
        strategy,
        partial(models.build, settings, synchronized=synchronized, precision=precision),
        settings,
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
            balance="class_weights",
        )
        evaluation = data.evaluation_batches(
            small.pictures(21, seed=1), batch_size=batch_size, multiple_of=replicas
        )
        rows.append({"train": steps.train(batches), "eval": steps.evaluate(evaluation)})
    weights = [
        float(np.abs(weight).sum())
        for model in (steps.model, steps.averaged)
        for weight in model.get_weights()
    ]
    return {"epochs": rows, "weights": weights}


def one_device():
    return train(
        make(tf.distribute.OneDeviceStrategy("/cpu:0"), batch_size=16, settings=SETTINGS),
        batch_size=16,
        replicas=1,
    )


def two_devices():
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])
    return train(
        make(strategy, batch_size=16, synchronized=True, settings=SETTINGS),
        batch_size=8,
        replicas=2,
    )


def one_of_two_workers():
    from trainer_module import strategy

    steps = make(
        strategy.create("multi_worker"), batch_size=16, synchronized=True, settings=SETTINGS
    )
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
    # Adam makes a step of a gradient that is all rounding: a bias near 0 is not told in relation.
    assert actual["weights"] == pytest.approx(expected["weights"], rel=tolerance, abs=1e-4)


def test_the_auc_is_right_where_probabilities_are_nearly_0_or_1():
    sure = keras.Sequential([keras.Input((1,)), keras.layers.Activation("sigmoid")])
    steps = Steps(
        tf.distribute.get_strategy(),
        lambda: sure,
        small.SETTINGS,
        learning_rate=1e-3,
        global_batch_size=8,
    )
    told = np.float32([6, 6.5, 7, 7.5, 8, 8.5, 9, 9.5])
    labels = np.float32([0, 0, 1, 0, 1, 0, 1, 1])
    batch = (told[:, None], labels, np.ones(8, np.float32))
    figures = steps.evaluate(tf.data.Dataset.from_tensors(batch))
    assert figures["auc"] == pytest.approx(13 / 16, abs=0.01)


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


def test_the_average_follows_the_weights_and_is_what_is_evaluated():
    settings = small.SETTINGS.model_copy(update={"ema_momentum": 0.9})
    steps = make(tf.distribute.get_strategy(), batch_size=8, settings=settings)
    expected = [weight.astype(float) for weight in steps.model.get_weights()]
    for number in range(1, 5):
        steps.train(first_batch())
        momentum = min(0.9, number / (9 + number))
        expected = [
            momentum * average + (1 - momentum) * weight
            for average, weight in zip(expected, steps.model.get_weights(), strict=True)
        ]
    for average, each in zip(steps.averaged.get_weights(), expected, strict=True):
        np.testing.assert_allclose(average, each, atol=1e-5)
    loss = steps.evaluate(first_batch())["loss"]
    pixels, labels, _ = next(iter(first_batch()))
    entropies = keras.ops.binary_crossentropy(labels, steps.averaged(pixels)[:, 0])
    assert loss == pytest.approx(float(tf.reduce_mean(entropies)), rel=1e-4)


def test_as_long_as_the_head_learns_alone_the_backbone_stays_as_it_is():
    settings = small.SETTINGS.model_copy(update={"model": "transfer", "weight_decay": 0.1})
    steps = make(tf.distribute.get_strategy(), batch_size=8, settings=settings)
    before = steps.model.get_weights()
    steps.train(first_batch(), head_only=True)
    *backbone, kernel, bias = steps.model.get_weights()
    for now, then in zip(backbone, before, strict=False):
        np.testing.assert_array_equal(now, then)
    assert not np.array_equal(kernel, before[-2])
    assert not np.array_equal(bias, before[-1])
    assert int(steps.optimizer.iterations) == 0
    steps.train(first_batch())
    changed = [
        not np.array_equal(now, then)
        for now, then in zip(steps.model.get_weights(), before, strict=True)
    ]
    assert all(changed)


def test_without_an_average_the_model_itself_is_evaluated():
    steps = make(tf.distribute.get_strategy(), batch_size=8)
    assert steps.averaged is steps.model


def first_batch():
    return data.evaluation_batches(small.pictures(8), batch_size=8)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_loss_goes_down(precision):
    steps = make(tf.distribute.get_strategy(), batch_size=8, precision=precision)
    rows = train(steps, batch_size=8, replicas=1, epochs=4)["epochs"]
    assert rows[-1]["train"]["loss"] < 0.7 * rows[0]["train"]["loss"]


def test_the_train_step_compiles_under_xla_with_static_shapes_and_no_strings():
    steps = make(tf.distribute.get_strategy(), batch_size=8, settings=SETTINGS)
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
                balance="none",
            )
        )
    )
    before = [weight.numpy() for weight in steps.model.trainable_variables]
    compiled(*batch)
    after = [weight.numpy() for weight in steps.model.trainable_variables]
    assert all(np.isfinite(weight).all() for weight in after)
    assert any((old != new).any() for old, new in zip(before, after, strict=True))
