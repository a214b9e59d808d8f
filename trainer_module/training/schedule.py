"""The learning rate over a training."""

import keras

from trainer_module.settings.trainer import TrainerSettings


def learning_rate(
    settings: TrainerSettings, steps_per_epoch: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Makes the schedule: a straight rise, then constant, or half a cosine to 0.

    It begins when the whole model learns; as long as only its head does, the rate is constant. The
    rise is one of equal steps from 0, of which the first is already taken in the first step of the
    training: at a rate of 0 that would learn nothing.

    Source of the cosine: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm
    Restarts" (2017), without the restarts.

    Args:
        settings: rate, warm-up, decay, and the epochs at whose end the cosine is 0.
        steps_per_epoch: of the training.
    """
    rate = settings.learning_rate
    warmup = round(settings.warmup_epochs * steps_per_epoch)
    first = rate / (warmup + 1)
    if settings.decay == "cosine":
        epochs = settings.epochs - settings.frozen_epochs
        return keras.optimizers.schedules.CosineDecay(
            first if warmup else rate,
            max(1, epochs * steps_per_epoch - warmup),
            warmup_target=rate if warmup else None,
            warmup_steps=warmup,
        )
    if not warmup:
        return rate
    return keras.optimizers.schedules.PolynomialDecay(
        first, decay_steps=warmup, end_learning_rate=rate
    )
