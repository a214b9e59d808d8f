"""Keras's layers and optimizer, computed by TensorFlow's fused kernels.

Keras 3 composes batch normalization and Adam of single operations, each of which reads and writes
all of a layer's activations or of the model's weights. On a CPU that traffic is most of a training
step of the CNN. The kernels here compute the same in one pass; inference is Keras's own. Figures:
tests/benchmarks/RESULTS.md.
"""

from typing import Any

import keras
import tensorflow as tf


class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's, whose training over images is one operation (``FusedBatchNormV3``)."""

    def call(self, inputs: tf.Tensor, training: bool | None = None, mask: Any = None) -> tf.Tensor:
        """Normalizes; see Keras.

        Args:
            inputs: [N, height, width, channels] for the fused kernel; any shape.
            training: whether the batch's own statistics are used, and the moving ones updated.
            mask: see Keras.

        Returns:
            As ``inputs``.
        """
        if training is not True or inputs.shape.rank != 4 or mask is not None or self.synchronized:
            return super().call(inputs, training=training, mask=mask)
        normalized, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma,
            offset=self.beta,
            mean=[],
            variance=[],
            epsilon=self.epsilon,
            is_training=True,
        )
        # The kernel returns the unbiased variance; Keras uses the biased one.
        count = tf.cast(tf.size(inputs) // inputs.shape[-1], tf.float32)
        self._learn(self.moving_mean, mean)
        self._learn(self.moving_variance, variance * (count - 1) / count)
        return normalized

    def _learn(self, moving: keras.Variable, batch: tf.Tensor) -> None:
        moving.assign(moving * self.momentum + batch * (1.0 - self.momentum))


class Dropout(keras.layers.Dropout):
    """Keras's, with two random numbers of 16 bits out of each of 32: drawing them is its cost.

    The rate is rounded to a multiple of 2**-16; what is kept is scaled by the rounded one. Each
    replica of a strategy drops others.
    """

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Sets a random share of the inputs to 0; see Keras.

        Args:
            inputs: [..., channels], floating point.
            training: whether to.

        Returns:
            As ``inputs``.
        """
        dropped = round(self.rate * 2**16)
        if not training or not dropped:
            return inputs
        shape, channels = tf.shape(inputs), inputs.shape[-1]
        pairs = tf.concat([shape[:-1], [(channels + 1) // 2]], axis=0)
        seed = tf.cast(self.seed_generator.next(), tf.int32)
        # The generator is in the same state on each replica.
        if replica := tf.distribute.get_replica_context():
            seed += tf.stack([tf.cast(replica.replica_id_in_sync_group, tf.int32), 0])
        drawn = tf.random.stateless_uniform(pairs, seed, minval=None, maxval=None, dtype=tf.int32)
        drawn = tf.bitcast(drawn, tf.int16)
        drawn = tf.reshape(drawn, tf.concat([shape[:-1], [-1]], axis=0))[..., :channels]
        kept = tf.cast(drawn >= tf.constant(dropped - 2**15, tf.int16), inputs.dtype)
        return inputs * (kept * (2**16 / (2**16 - dropped)))


class Adam(keras.optimizers.Adam):
    """Keras's, whose update of a variable is one operation (``ResourceApplyAdam``).

    Its weight decay is decoupled (Loshchilov and Hutter, "Decoupled Weight Decay Regularization",
    2019). Kernels decay; biases and what belongs to a normalization, which are vectors, do not.
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
        *,
        decay: float = 0.0,
    ) -> None:
        """Makes an optimizer.

        Args:
            learning_rate: or its schedule over the steps.
            decay: a step takes this times the learning rate off each weight.
        """
        super().__init__(learning_rate)
        self._decay = decay

    def update_step(
        self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor
    ) -> None:
        """Updates one variable and its two moments in place; see Keras."""
        if self._decay and variable.shape.rank > 1:
            variable.assign_sub(variable * (tf.cast(learning_rate, tf.float32) * self._decay))
        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(self.beta_1, step),
            beta2_power=tf.pow(self.beta_2, step),
            lr=tf.cast(learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )
