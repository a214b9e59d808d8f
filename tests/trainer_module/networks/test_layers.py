"""The fused kernels against what they replace: Keras's own, and its definition of dropout."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer_module.networks import layers


def trained(kind, inputs, **options):
    """Output, gradients and moving statistics of a layer of one kind after two training steps."""
    layer = kind(momentum=0.9, **options)
    layer.build(inputs.shape)
    layer.gamma.assign(np.linspace(0.5, 1.5, inputs.shape[-1]))
    layer.beta.assign(np.linspace(-1, 1, inputs.shape[-1]))

    @tf.function
    def step(pixels):
        with tf.GradientTape() as tape:
            tape.watch(pixels)
            out = layer(pixels, training=True)
            loss = tf.reduce_sum(out**3)
        return out, tape.gradient(loss, [pixels, layer.gamma.value, layer.beta.value])

    step(tf.constant(inputs[::-1].copy()))
    out, gradients = step(tf.constant(inputs))
    return [out, *gradients, layer.moving_mean, layer.moving_variance, layer(inputs)]


@pytest.mark.parametrize("shape", [(4, 6, 5, 3), (1, 2, 2, 8), (7, 5)])
def test_batch_normalization_is_keras_own(shape):
    inputs = np.random.default_rng(1).normal(3, 2, shape).astype(np.float32)
    ours, theirs = (
        trained(each, inputs)
        for each in (layers.BatchNormalization, keras.layers.BatchNormalization)
    )
    for our, their in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(our, their, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("schedule", [1e-2, keras.optimizers.schedules.PolynomialDecay(0, 5, 1e-2)])
def test_adam_is_keras_own(schedule):
    random = np.random.default_rng(2)
    start = [random.normal(size=shape).astype(np.float32) for shape in ((40, 30), (7,), ())]
    gradients = [[random.normal(size=each.shape).astype(np.float32) for each in start]] * 8

    def descended(kind):
        variables = [keras.Variable(each) for each in start]
        optimizer = kind(schedule)
        optimizer.build(variables)

        @tf.function
        def step(found):
            optimizer.apply(found, variables)

        for each in gradients:
            step([tf.constant(gradient) for gradient in each])
        return [each.numpy() for each in (*variables, *optimizer.variables)]

    for our, their in zip(descended(layers.Adam), descended(keras.optimizers.Adam), strict=True):
        np.testing.assert_allclose(our, their, rtol=1e-5, atol=1e-6)


def test_kernels_decay_apart_from_the_gradient_and_vectors_do_not():
    variables = [keras.Variable(np.full(shape, 2.0, np.float32)) for shape in ((3, 2), (3,))]
    optimizer = layers.Adam(0.1, decay=0.5)
    optimizer.build(variables)
    for _ in range(2):
        optimizer.apply([tf.zeros(each.shape) for each in variables], variables)
    np.testing.assert_allclose(variables[0], 2 * 0.95**2, rtol=1e-6)
    np.testing.assert_array_equal(variables[1], 2.0)


def test_decay_is_that_of_keras_adamw():
    start = np.random.default_rng(3).normal(size=(20, 10)).astype(np.float32)
    ends = []
    for optimizer in (
        layers.Adam(1e-2, decay=0.1),
        keras.optimizers.AdamW(1e-2, weight_decay=0.1),
    ):
        variable = keras.Variable(start)
        optimizer.build([variable])
        for index in range(5):
            optimizer.apply([tf.constant(np.roll(start, index, axis=0))], [variable])
        ends.append(variable.numpy())
    np.testing.assert_allclose(*ends, rtol=1e-4, atol=1e-6)


@settings(max_examples=20)
@given(
    rate=st.floats(0.01, 0.9),
    shape=st.sampled_from([(500, 101), (50, 10, 10, 10), (40_000, 1)]),
    seed=st.integers(0, 2**31 - 1),
)
def test_dropout_drops_its_share_and_keeps_the_sum(rate, shape, seed):
    layer = layers.Dropout(rate, seed=seed)
    inputs = tf.ones(shape)
    out = layer(inputs, training=True).numpy()
    kept = out != 0
    count = kept.size
    assert abs((~kept).mean() - rate) < 6 * (rate * (1 - rate) / count) ** 0.5
    np.testing.assert_allclose(out[kept], 1 / (1 - rate), rtol=2e-4)
    assert np.array_equal(layer(inputs), inputs)
    again = layers.Dropout(rate, seed=seed)(inputs, training=True)
    assert np.array_equal(again, out)
    assert not np.array_equal(layer(inputs, training=True), out)


def test_what_dropout_drops_has_no_gradient():
    layer = layers.Dropout(0.25, seed=3)
    inputs = tf.random.stateless_normal((64, 33), (1, 2))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        out = layer(inputs, training=True)
    kept = out.numpy() != 0
    np.testing.assert_allclose(tape.gradient(out, inputs), kept / 0.75, rtol=1e-6)
    # Neighbours share a number of 32 bits, and are independent nevertheless.
    both = (kept[:, 0:32:2] & kept[:, 1:32:2]).mean()
    assert abs(both - 0.75**2) < 0.06


def test_each_replica_drops_others(monkeypatch):
    inputs, kept = tf.ones((40, 40)), []
    for replica in (0, 1):
        layer = layers.Dropout(0.5, seed=3)
        context = SimpleNamespace(replica_id_in_sync_group=replica)
        monkeypatch.setattr(tf.distribute, "get_replica_context", lambda context=context: context)
        kept.append(layer(inputs, training=True).numpy() != 0)
    assert 0.4 < (kept[0] == kept[1]).mean() < 0.6
