"""What can be shown about strategies without the hardware.

Each case runs in processes of its own: devices and workers are set before TensorFlow starts.
"""

from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import processes
from tests.trainer_module import small
from trainer_module.input import batches as data
from trainer_module.networks import building
from trainer_module.training.steps import NotFiniteError, Steps
from transform_module.contract import IMAGE_SIZE

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
        partial(
            building.build,
            settings,
            size=IMAGE_SIZE,
            synchronized=synchronized,
            precision=precision,
        ),
        settings,
        learning_rate=1e-3,
        global_batch_size=batch_size,
    )


def train(steps, *, batch_size, epochs=2):
    """Trains two epochs; returns the figures of each and a sum of the weights."""
    images = small.images()
    rows = []
    for epoch in range(epochs):
        batches = partial(
            data.training_batches,
            images,
            batch_size,
            epoch=epoch,
            seed=7,
            augmentation=small.SETTINGS.augmentation,
            balance="class_weights",
        )
        evaluation = partial(data.evaluation_batches, small.images(21, seed=1), batch_size)
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
    )


def two_devices():
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])
    return train(
        make(strategy, batch_size=16, synchronized=True, settings=SETTINGS),
        batch_size=8,
    )


def one_of_two_workers():
    from trainer_module.training import strategy

    steps = make(
        strategy.create("multi_worker"), batch_size=16, synchronized=True, settings=SETTINGS
    )
    return train(steps, batch_size=8)


@pytest.fixture(scope="module")
def alone():
    (trained,) = processes.run(one_device, {})
    return trained


def assert_same_training(actual, expected, tolerance):
    for mine, other in zip(actual["epochs"], expected["epochs"], strict=True):
        for phase in ("train", "eval"):
            assert mine[phase]["loss"] == pytest.approx(other[phase]["loss"], rel=tolerance)
            assert mine[phase]["auc"] == pytest.approx(other[phase]["auc"], abs=0.02)
    # Adam makes a step of a gradient that is all rounding: a bias near 0 has no meaningful relative
    # difference.
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
    message = np.float32([6, 6.5, 7, 7.5, 8, 8.5, 9, 9.5])
    labels = np.float32([0, 0, 1, 0, 1, 0, 1, 1])
    batch = (message[:, None], labels, np.ones(8, np.float32))
    figures = steps.evaluate(lambda _: tf.data.Dataset.from_tensors(batch))
    assert figures["auc"] == pytest.approx(13 / 16, abs=0.01)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_training(alone):
    assert processes.run(one_device, {}) == [alone]


@pytest.mark.slow
def test_two_devices_train_as_one_on_the_doubled_batch(alone):
    (trained,) = processes.run(two_devices, {})
    assert_same_training(trained, alone, tolerance=1e-3)


@pytest.mark.slow
def test_two_workers_end_equal_and_as_one_on_the_doubled_batch(alone):
    with processes.cluster("worker", "worker") as environments:
        first_result, second_result = processes.run(
            one_of_two_workers, *({"environment": each} for each in environments)
        )
    assert first_result["weights"] == second_result["weights"]
    assert_same_training(first_result, alone, tolerance=1e-3)


def test_the_average_follows_the_weights_and_is_what_is_evaluated():
    settings = small.SETTINGS.model_copy(update={"ema_momentum": 0.9})
    steps = make(tf.distribute.get_strategy(), batch_size=8, settings=settings)
    expected = [weight.astype(float) for weight in steps.model.get_weights()]
    for number in range(1, 5):
        steps.train(training_batch)
        momentum = min(0.9, number / (9 + number))
        expected = [
            momentum * average + (1 - momentum) * weight
            for average, weight in zip(expected, steps.model.get_weights(), strict=True)
        ]
    for average, each in zip(steps.averaged.get_weights(), expected, strict=True):
        np.testing.assert_allclose(average, each, atol=1e-5)
    first = partial(data.evaluation_batches, small.images(8), 8)
    loss = steps.evaluate(first)["loss"]
    pixels, labels, _ = next(iter(first()))
    entropies = keras.ops.binary_crossentropy(labels, steps.averaged(pixels)[:, 0])
    assert loss == pytest.approx(float(tf.reduce_mean(entropies)), rel=1e-4)


def test_as_long_as_the_head_learns_alone_the_backbone_stays_as_it_is():
    settings = small.SETTINGS.model_copy(update={"model": "transfer", "weight_decay": 0.1})
    steps = make(tf.distribute.get_strategy(), batch_size=8, settings=settings)
    before = steps.model.get_weights()
    steps.train(training_batch, head_only=True)
    *backbone, kernel, bias = steps.model.get_weights()
    for now, then in zip(backbone, before, strict=False):
        np.testing.assert_array_equal(now, then)
    assert not np.array_equal(kernel, before[-2])
    assert not np.array_equal(bias, before[-1])
    assert int(steps.optimizer.iterations) == 0
    steps.train(training_batch)
    changed = [
        not np.array_equal(now, then)
        for now, then in zip(steps.model.get_weights(), before, strict=True)
    ]
    assert all(changed)


def test_without_an_average_the_model_itself_is_evaluated():
    steps = make(tf.distribute.get_strategy(), batch_size=8)
    assert steps.averaged is steps.model


def training_batch(share=data.ALONE):
    return data.training_batches(
        small.images(8),
        8,
        share,
        epoch=0,
        seed=7,
        augmentation=small.SETTINGS.augmentation,
        balance="none",
    )


class Constant(keras.layers.Layer):
    """Says 0.5 of each image, and counts nothing."""

    def build(self, shape):
        self.logit = self.add_weight(shape=(), initializer="zeros")

    def call(self, pixels):
        return keras.ops.sigmoid(keras.ops.zeros((keras.ops.shape(pixels)[0], 1)) + self.logit)


def constant(optimizer_rate=0.0):
    return Steps(
        tf.distribute.get_strategy(),
        lambda: keras.Sequential([keras.Input((160, 160, 1)), Constant()]),
        small.SETTINGS,
        learning_rate=optimizer_rate,
        global_batch_size=4,
    )


@pytest.mark.parametrize(
    ("labels", "weights", "expected"),
    [
        ([0, 1, 1, 1], [[3, 0], [0, 1], [0, 1], [0, 1]], 6 / 4),
        ([0, 1, 1, 1], [[0, 0]] * 4, 0.0),
        # A mixture: 0.3 of an image that counts 2 and 0.7 of one that counts 1.
        ([0.7] * 4, [[0.6, 0.7]] * 4, 1.3),
    ],
)
def test_each_image_counts_in_the_loss_by_its_weights(labels, weights, expected):
    pixels = tf.zeros((4, 160, 160, 1))
    loss = constant().train_step(
        pixels, tf.constant(labels, tf.float32), tf.constant(weights, tf.float32)
    )
    assert float(loss) == pytest.approx(expected * np.log(2), rel=1e-4)


@pytest.mark.parametrize("phase", ["train", "evaluate"])
def test_a_loss_that_is_not_a_number_is_reported_with_its_step(phase):
    steps = constant()
    pixels = np.zeros((70, 160, 160, 1), np.float32)
    weights = np.ones((70, 2) if phase == "train" else 70, np.float32)
    # Beyond the first look of the loop, and before its last.
    weights[37] = np.nan
    rows = tf.data.Dataset.from_tensor_slices((pixels, np.zeros(70, np.float32), weights)).batch(1)
    with pytest.raises(NotFiniteError, match="step 38 is not finite"):
        getattr(steps, phase)(lambda _: rows)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_loss_goes_down(precision):
    steps = make(tf.distribute.get_strategy(), batch_size=8, precision=precision)
    rows = train(steps, batch_size=8, epochs=4)["epochs"]
    assert rows[-1]["train"]["loss"] < 0.7 * rows[0]["train"]["loss"]


def compiled_by_xla(steps):
    """Whether the step that `train` runs is one that XLA must compile."""
    graph = steps._run_train_step.get_concrete_function(next(iter(training_batch()))).graph
    return any("_XlaMustCompile" in op.node_def.attr for op in graph.get_operations())


def trained_on(device, jit_compile):
    settings = SETTINGS.model_copy(update={"jit_compile": jit_compile})
    steps = make(tf.distribute.OneDeviceStrategy(device), batch_size=8, settings=settings)
    return steps, steps.train(training_batch)


def assert_trained_alike(steps, other):
    for mine, its in zip(steps.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, its, atol=1e-3)


@pytest.mark.slow
def test_a_step_that_xla_compiles_trains_as_one_that_it_does_not():
    plain, figures = trained_on("/cpu:0", "auto")
    compiled, compiled_figures = trained_on("/cpu:0", True)
    assert compiled_by_xla(compiled)
    assert not compiled_by_xla(plain)
    assert compiled_figures["loss"] == pytest.approx(figures["loss"], rel=1e-3)
    assert_trained_alike(compiled, plain)


def test_on_a_gpu_the_step_is_compiled_and_trains_as_on_the_cpu(gpu):
    compiled, figures = trained_on(gpu, "auto")
    plain, plain_figures = trained_on("/cpu:0", "auto")
    assert compiled_by_xla(compiled)
    assert figures["loss"] == pytest.approx(plain_figures["loss"], rel=1e-2)
    assert_trained_alike(compiled, plain)
