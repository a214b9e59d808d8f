"""Training losses."""

import keras
import tensorflow as tf

from trainer_module.settings.trainer import TrainerSettings


def losses(labels: tf.Tensor, probabilities: tf.Tensor, settings: TrainerSettings) -> tf.Tensor:
    """Computes each image's loss: cross-entropy, smoothed and focused as the settings say.

    Sources: Szegedy et al., "Rethinking the Inception Architecture for Computer Vision" (2016), for
    label smoothing; Lin et al., "Focal Loss for Dense Object Detection" (2017), whose factor
    ``(1 - p_t) ** gamma`` is here ``abs(label - probability) ** gamma``, as Li et al., "Generalized
    Focal Loss" (2020), write it for labels between 0 and 1.

    Args:
        labels: [n] float32 in [0, 1].
        probabilities: [n] float32, of PNEUMONIA.
        settings: ``label_smoothing`` and ``focal_gamma``.

    Returns:
        [n] float32.
    """
    smoothed = labels * (1 - settings.label_smoothing) + settings.label_smoothing / 2
    entropies = keras.ops.binary_crossentropy(smoothed, probabilities)
    if not settings.focal_gamma:
        return entropies
    distance = tf.abs(smoothed - probabilities)
    # The power of a distance of 0 has no finite gradient.
    return tf.maximum(distance, keras.config.epsilon()) ** settings.focal_gamma * entropies


def clipping(gradients: list[tf.Tensor], norm: float) -> tf.Tensor:
    """Computes what each replica's gradients are multiplied by before their sum is applied.

    The norm is that of the sum: what one device would clip on the whole batch.

    Args:
        gradients: a replica's.
        norm: the most that the sum's global norm may be.

    Returns:
        Scalar float32, at most 1.
    """
    summed = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, gradients)
    return norm / tf.maximum(tf.linalg.global_norm(summed), norm)
