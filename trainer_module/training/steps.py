"""The train and evaluation steps of one model under one strategy.

One loop serves every strategy. ``Model.fit`` of Keras 3 fails under MultiWorkerMirroredStrategy
(keras-team/keras issue 20585), and its EarlyStopping and BackupAndRestore forget the best epoch
when a training is killed; the steps here run unchanged on one device and on many.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer_module.networks import building
from trainer_module.networks.layers import Adam
from trainer_module.settings.trainer import TrainerSettings
from trainer_module.training.losses import clipping, losses
from trainer_module.training.strategy import is_compiled
from trainer_module.training.worst_pair import Shares

Figures = dict[str, float]

Batches = Callable[[tf.distribute.InputContext], tf.data.Dataset]
"""Makes one epoch's batches of an input pipeline; each has as many."""

_PREFETCHED = 4
# To look at a loss is to wait for its step; a device is kept busy by the next ones.
_LOOKED_AT = 32
# Evenly apart in logits. Keras's own are so in probabilities, of which a network that is sure has
# nearly all beyond the outermost; the epochs of one training then differ by less than the error.
_THRESHOLDS = [1 / (1 + math.exp(-logit / 8)) for logit in range(-96, 97)]


class NotFiniteError(ArithmeticError):
    """The loss of a step is infinite or no number.

    Attributes:
        step: its number in the epoch, from 1 on.
    """

    def __init__(self, step: int) -> None:
        """Says of which step."""
        super().__init__(f"the loss of step {step} is not finite")
        self.step = step


class Steps:
    """A model, its optimizer and its metrics, made in a strategy's scope.

    Attributes:
        model: as `build` made it; what is trained.
        averaged: what is evaluated: the model itself, or one whose weights (those of batch
            normalization too) are the moving average of the model's.
        optimizer: Adam.
    """

    def __init__(
        self,
        strategy: tf.distribute.Strategy,
        build: Callable[[], keras.Model],
        settings: TrainerSettings,
        *,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
        global_batch_size: int,
    ) -> None:
        """Makes the variables.

        Args:
            strategy: where the steps run.
            build: makes the model.
            settings: the loss, and what is done to gradients and weights.
            learning_rate: Adam's, or its schedule over the steps.
            global_batch_size: images in a training step on all replicas together.

        Raises:
            StrategyError: `jit_compile` does not fit the strategy.
        """
        self._strategy = strategy
        self._settings = settings
        self._global_batch_size = global_batch_size
        with strategy.scope():
            self.model = build()
            self.averaged = self.model
            if settings.ema_momentum:
                self.averaged = build()
                self.averaged.set_weights(self.model.get_weights())
            self.optimizer = Adam(learning_rate, decay=settings.weight_decay)
            self._optimizers = [self.optimizer]
            self.optimizer.build(self.model.trainable_variables)
            if settings.frozen_epochs:
                self._backbone, self._head = building.split(self.model)
                # The moments and the schedule of the other one begin when all is trained.
                self._head_optimizer = Adam(settings.learning_rate, decay=settings.weight_decay)
                self._head_optimizer.build(self._head.trainable_variables)
                self._optimizers.append(self._head_optimizer)
            self._loss = keras.metrics.Mean(name="loss")
            self._auc = keras.metrics.AUC(name="auc", thresholds=_THRESHOLDS)
            self._metrics = [keras.metrics.BinaryAccuracy(name="accuracy"), self._auc]
        train_step, head_step = self.train_step, self.head_step
        if is_compiled(strategy, settings.jit_compile):
            train_step = tf.function(train_step, jit_compile=True)
            head_step = tf.function(head_step, jit_compile=True)
        self._run_train_step = self._distributed(train_step, then=self._average)
        self._run_head_step = self._distributed(head_step, then=self._average)
        self._run_evaluation_step = self._distributed(self.evaluation_step)

    def learning_rate(self, *, head_only: bool) -> float:
        """Returns the rate of the next step."""
        optimizer = self._head_optimizer if head_only else self.optimizer
        return float(optimizer.learning_rate)

    @property
    def variables(self) -> list[keras.Variable]:
        """Everything that a training resumes from."""
        averages = self.averaged.weights if self.averaged is not self.model else []
        moments = [variable for each in self._optimizers for variable in each.variables]
        return [*self.model.variables, *averages, *moments]

    def train(
        self,
        batches: Batches,
        *,
        head_only: bool = False,
        through: Callable[[Iterable[Any]], Iterable[Any]] = iter,
    ) -> Figures:
        """Trains on each batch once.

        Args:
            batches: of one epoch.
            head_only: whether the layers before the last feature map stay as they are.
            through: is given the batches, and gives them back one by one as they are trained on.

        Returns:
            Loss, accuracy and AUC in training mode.

        Raises:
            NotFiniteError: the loss of a step is not finite.
        """
        step = self._run_head_step if head_only else self._run_train_step
        return self._over(through(self._distribute(batches)), step)

    def evaluate(self, batches: Batches) -> Figures:
        """Evaluates on each batch once; returns loss, accuracy and AUC.

        Raises:
            NotFiniteError: the loss of a step is not finite.
        """
        return self._over(self._distribute(batches), self._run_evaluation_step)

    @property
    def shares(self) -> Shares:
        """What the batches that were evaluated last say of each threshold."""
        counts = [
            keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(each)).astype(float)
            for each in (
                self._auc.false_positives,
                self._auc.true_negatives,
                self._auc.true_positives,
                self._auc.false_negatives,
            )
        ]
        with np.errstate(invalid="ignore"):
            normal, pneumonia = (
                above / (above + below) for above, below in (counts[:2], counts[2:])
            )
        return Shares(normal, pneumonia)

    def train_step(self, pixels: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """One replica's share of a training step.

        Args:
            pixels: [n, size, size, 1] float32 in [0, 1].
            labels: [n] float32 in [0, 1].
            weights: [n, 2] float32, of the loss against each label.

        Returns:
            Its share of the loss, scalar float32.
        """
        return self._learn(self.model, pixels, labels, weights, self.optimizer)

    def head_step(self, pixels: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        """As `train_step`, of the head alone; the backbone, its statistics too, stays as it is."""
        features = self._backbone(pixels, training=False)
        return self._learn(self._head, features, labels, weights, self._head_optimizer)

    def _learn(
        self,
        model: keras.Model,
        inputs: tf.Tensor,
        labels: tf.Tensor,
        weights: tf.Tensor,
        optimizer: Adam,
    ) -> tf.Tensor:
        with tf.GradientTape() as tape:
            probabilities = model(inputs, training=True)[:, 0]
            against = [
                losses(tf.fill(tf.shape(labels), label), probabilities, self._settings)
                for label in (0.0, 1.0)
            ]
            lost = tf.reduce_sum(weights * tf.stack(against, axis=1), axis=1)
            loss = tf.reduce_sum(lost) / self._global_batch_size
        gradients = tape.gradient(loss, model.trainable_variables)
        if self._settings.clip_norm:
            factor = clipping(gradients, self._settings.clip_norm)
            gradients = [factor * gradient for gradient in gradients]
        optimizer.apply(gradients, model.trainable_variables)
        self._loss.update_state(lost)
        for metric in self._metrics:
            metric.update_state(tf.round(labels), probabilities)
        return loss

    def evaluation_step(
        self, pixels: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor
    ) -> tf.Tensor:
        """One replica's share of an evaluation step.

        Args:
            pixels: [n, size, size, 1] float32 in [0, 1].
            labels: [n] float32, 0 or 1.
            weights: [n] float32; 0 leaves an image out.

        Returns:
            Its share of the sum of the losses, scalar float32.
        """
        probabilities = self.averaged(pixels, training=False)[:, 0]
        lost = keras.ops.binary_crossentropy(labels, probabilities)
        self._loss.update_state(lost, sample_weight=weights)
        for metric in self._metrics:
            metric.update_state(labels, probabilities, sample_weight=weights)
        return tf.reduce_sum(weights * lost)

    def _average(self) -> None:
        """Moves the averages; early, when they are mostly chance, faster (as TensorFlow's do)."""
        if self.averaged is self.model:
            return
        steps = tf.add_n([each.iterations.value for each in self._optimizers])
        step = tf.cast(steps, tf.float32)
        moved = 1 - tf.minimum(self._settings.ema_momentum, step / (9 + step))

        def move(average: tf.Variable, weight: tf.Tensor) -> None:
            average.assign_sub(moved * (average - weight))

        for average, weight in zip(self.averaged.weights, self.model.weights, strict=True):
            self._strategy.extended.update(average.value, move, args=(weight.value,), group=False)

    def _distributed(
        self, step: Callable[..., tf.Tensor], then: Callable[[], None] = lambda: None
    ) -> Callable[..., tf.Tensor]:
        # A function for each dataset's batch shape is traced once: every batch is full.
        @tf.function(reduce_retracing=True, autograph=False)
        def run(batch: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> tf.Tensor:
            shares = self._strategy.run(step, args=batch)
            then()
            # The sum is the same in each process, so that all of them stop at the same step.
            return self._strategy.reduce(tf.distribute.ReduceOp.SUM, shares, axis=None)

        return run

    def _over(self, batches: Iterable[Any], step: Callable[..., tf.Tensor]) -> Figures:
        metrics = [self._loss, *self._metrics]
        for metric in metrics:
            metric.reset_state()
        sums: list[tf.Tensor] = []
        for batch in batches:
            sums.append(step(batch))
            if len(sums) % _LOOKED_AT == 0:
                _require_finite(sums[-_LOOKED_AT:], before=len(sums) - _LOOKED_AT)
        _require_finite(sums, before=0)
        return {metric.name: float(metric.result()) for metric in metrics}

    def _distribute(self, batches: Batches) -> tf.data.Dataset | tf.distribute.DistributedDataset:
        # An iterator often ends without waking tf.data's tuner, and waits until that wakes by
        # itself: for half a minute at the end of an epoch of two.
        options = tf.data.Options()
        options.autotune.enabled = False

        def per_pipeline(context: tf.distribute.InputContext) -> tf.data.Dataset:
            return batches(context).prefetch(_PREFETCHED).with_options(options)

        if self._strategy.num_replicas_in_sync == 1:
            # A strategy's own iterator wraps this one in others that the options do not reach.
            return per_pipeline(tf.distribute.InputContext())
        return self._strategy.distribute_datasets_from_function(per_pipeline)


def _require_finite(losses: list[tf.Tensor], *, before: int) -> None:
    is_finite = np.isfinite([float(loss) for loss in losses])
    if not is_finite.all():
        raise NotFiniteError(before + int(np.argmin(is_finite)) + 1)
