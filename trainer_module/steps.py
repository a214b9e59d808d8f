"""The train and evaluation steps of one model under one strategy.

One loop serves every strategy. ``Model.fit`` of Keras 3 fails under MultiWorkerMirroredStrategy
(keras-team/keras issue 20585), and its EarlyStopping and BackupAndRestore forget the best epoch
when a training is killed; the steps here run unchanged on one device and on many.
"""

from collections.abc import Callable, Iterable
from typing import Any

import keras
import tensorflow as tf

from trainer_module.fused import Adam

Figures = dict[str, float]

_PREFETCHED = 4


class Steps:
    """A model, its optimizer and its metrics, made in a strategy's scope.

    Attributes:
        model: as `build` made it.
        optimizer: Adam.
    """

    def __init__(
        self,
        strategy: tf.distribute.Strategy,
        build: Callable[[], keras.Model],
        *,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
        global_batch_size: int,
    ) -> None:
        """Makes the variables.

        Args:
            strategy: where the steps run.
            build: makes the model.
            learning_rate: Adam's, or its schedule over the steps.
            global_batch_size: pictures in a training step on all replicas together.
        """
        self._strategy = strategy
        self._global_batch_size = global_batch_size
        with strategy.scope():
            self.model = build()
            self.optimizer = Adam(learning_rate)
            self.optimizer.build(self.model.trainable_variables)
            self._loss = keras.metrics.Mean(name="loss")
            self._metrics = [
                keras.metrics.BinaryAccuracy(name="accuracy"),
                keras.metrics.AUC(name="auc"),
            ]
        self._run_train_step = self._distributed(self.train_step)
        self._run_evaluation_step = self._distributed(self.evaluation_step)

    def train(
        self,
        batches: tf.data.Dataset,
        *,
        through: Callable[[Iterable[Any]], Iterable[Any]] = iter,
    ) -> Figures:
        """Trains on each batch once.

        Args:
            batches: of one epoch.
            through: is given the batches, and gives them back one by one as they are trained on.

        Returns:
            Loss, accuracy and AUC in training mode.
        """
        return self._over(through(self._distribute(batches)), self._run_train_step)

    def evaluate(self, batches: tf.data.Dataset) -> Figures:
        """Evaluates on each batch once; returns loss, accuracy and AUC."""
        return self._over(self._distribute(batches), self._run_evaluation_step)

    def train_step(self, pixels: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor) -> None:
        """One replica's share of a training step.

        Args:
            pixels: [n, 160, 160, 1] float32 in [0, 1].
            labels: [n] float32, 0 or 1.
            weights: [n] float32.
        """
        with tf.GradientTape() as tape:
            probabilities = self.model(pixels, training=True)[:, 0]
            losses = weights * keras.ops.binary_crossentropy(labels, probabilities)
            loss = tf.reduce_sum(losses) / self._global_batch_size
        gradients = tape.gradient(loss, self.model.trainable_variables)
        self.optimizer.apply(gradients, self.model.trainable_variables)
        self._loss.update_state(losses)
        for metric in self._metrics:
            metric.update_state(labels, probabilities)

    def evaluation_step(self, pixels: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor) -> None:
        """One replica's share of an evaluation step; arguments as in `train_step`."""
        probabilities = self.model(pixels, training=False)[:, 0]
        losses = keras.ops.binary_crossentropy(labels, probabilities)
        self._loss.update_state(losses, sample_weight=weights)
        for metric in self._metrics:
            metric.update_state(labels, probabilities, sample_weight=weights)

    def _distributed(self, step: Callable[..., None]) -> Callable[..., None]:
        # A function for each dataset's batch shape is traced once: every batch is full.
        @tf.function(reduce_retracing=True)
        def run(batch: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> None:
            self._strategy.run(step, args=batch)

        return run

    def _over(self, batches: Iterable[Any], step: Callable[..., None]) -> Figures:
        metrics = [self._loss, *self._metrics]
        for metric in metrics:
            metric.reset_state()
        for batch in batches:
            step(batch)
        return {metric.name: float(metric.result()) for metric in metrics}

    def _distribute(
        self, batches: tf.data.Dataset
    ) -> tf.data.Dataset | tf.distribute.DistributedDataset:
        # An iterator often ends without waking tf.data's tuner, and waits until that wakes by
        # itself: for half a minute at the end of an epoch of two.
        options = tf.data.Options()
        options.autotune.enabled = False

        def per_pipeline(context: tf.distribute.InputContext) -> tf.data.Dataset:
            own = batches.shard(context.num_input_pipelines, context.input_pipeline_id)
            return own.prefetch(_PREFETCHED).with_options(options)

        if self._strategy.num_replicas_in_sync == 1:
            # A strategy's own iterator wraps this one in others that the options do not reach.
            return per_pipeline(tf.distribute.InputContext())
        return self._strategy.distribute_datasets_from_function(per_pipeline)
