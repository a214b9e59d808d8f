"""Distribution of the training images, and the distance of another image from it.

A network predicts whatever it is shown, a hand or an adult's chest too. The distance here knows
nothing of the network: it is that of a small description of the pixels from the normal distribution
that the descriptions of the training images follow.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from trainer_module.input import batches
from trainer_module.settings.trainer import DomainSettings

_THUMBNAIL = 16
_SCALES = 4
# Added to a contrast, of pixels in [0, 1], so that a flat image's is not divided by 0.
_FLAT = 0.02
# Added to a relative difference of neighbours, so that a flat image's has a logarithm.
_SMOOTH = 1e-3
_EXPLAINED = 0.9
_IMAGES_PER_COMPONENT = 10
_LEAST_SCALE = 1e-3
# So many standard deviations towards upside-down count as much as all else of a training image.
_UPSIDE_DOWN = 3.0
# Of standardized descriptions, whose own variance is 1; few images have no full covariance.
_RIDGE = 1.0
_BATCH = 32


@dataclass(frozen=True)
class Domain:
    """The normal distribution of the training images' descriptions, of D numbers each.

    It is that of probabilistic principal component analysis: k directions of their own variance,
    and one variance of all others (Tipping and Bishop, "Probabilistic Principal Component
    Analysis", 1999). Where chests lie upside-down they differ little from others in all those
    directions together, but in one of them much: Fisher's linear discriminant ("The Use of Multiple
    Measurements in Taxonomic Problems", 1936) between the training images and the same mirrored
    from top to bottom.

    Attributes:
        mean: [D] float32.
        scale: [D] float32, standard deviations.
        components: [k, D] float32, of standardized descriptions.
        variances: [k] float32, along the components.
        residual_variance: along every other direction.
        upright: [D] float32, the discriminant: the product with a standardized description has mean
            0 and standard deviation 1 over the training, and is far below 0 upside-down.
        threshold: an image whose distance is at most this is in the domain.
        eval_false_alarms: share of the images of the split `eval` beyond the threshold.
    """

    mean: np.ndarray
    scale: np.ndarray
    components: np.ndarray
    variances: np.ndarray
    residual_variance: float
    upright: np.ndarray
    threshold: float
    eval_false_alarms: float

    def distance(self, pixels: tf.Tensor) -> tf.Tensor:
        """Returns how far images are from those of the training; runs in graphs too.

        Args:
            pixels: [N, size, size, 1] float32 in [0, 1].

        Returns:
            [N] float32: about 1 for an image of the training. It is the root of the sum of two
            squares: the Mahalanobis distance over the root of D, and the standard deviations
            towards upside-down over 3.
        """
        return _distance(describe(pixels), self)


def describe(pixels: tf.Tensor) -> tf.Tensor:
    """Describes images by a thumbnail and by how rough they are at several scales.

    Args:
        pixels: [N, size, size, 1] float32 in [0, 1].

    Returns:
        [N, D] float32: 16 x 16 pixels of mean 0 and contrast 1, the logarithm of the contrast, and
        of the root mean square difference of neighbours, across and down, in units of the contrast,
        of the image and of it at a half, a quarter and an eighth of its side. A moderate change
        of brightness or contrast changes little of it.
    """
    side = pixels.shape[1] // _THUMBNAIL
    thumbnail = tf.nn.avg_pool2d(pixels, side, side, "VALID")
    mean, variance = tf.nn.moments(thumbnail, axes=(1, 2, 3), keepdims=True)
    normalized = (thumbnail - mean) / (tf.sqrt(variance) + _FLAT)
    contrast = tf.math.reduce_std(pixels, axis=(1, 2, 3)) + _FLAT
    described = [tf.math.log(contrast)]
    for scale in range(_SCALES):
        if scale:
            pixels = tf.nn.avg_pool2d(pixels, 2, 2, "VALID")
        for difference in (
            pixels[:, :, 1:] - pixels[:, :, :-1],
            pixels[:, 1:] - pixels[:, :-1],
        ):
            rough = tf.sqrt(tf.reduce_mean(tf.square(difference), axis=(1, 2, 3)))
            described.append(tf.math.log(rough / contrast + _SMOOTH))
    flat = tf.reshape(normalized, (-1, _THUMBNAIL * _THUMBNAIL))
    return tf.concat([flat, tf.stack(described, axis=1)], axis=1)


def fit(train: batches.Images, evaluation: batches.Images, settings: DomainSettings) -> Domain:
    """Learns the distribution from the split `train`, and the threshold from `eval`.

    As many components are kept as explain 90 % of the variance, but at most one for ten images.

    Args:
        train: the training split.
        evaluation: other patients.
        settings: the share of false alarms that is aimed at.
    """
    learnt = _descriptions(train, describe)
    mean = learnt.mean(axis=0)
    scale = learnt.std(axis=0) + _LEAST_SCALE
    standardized = (learnt - mean) / scale
    turned = (_descriptions(train, _describe_upside_down) - mean) / scale
    _, singular, directions = np.linalg.svd(standardized, full_matrices=False)
    variances = singular**2 / len(learnt)
    explained = np.cumsum(variances) / max(variances.sum(), _LEAST_SCALE)
    kept = min(
        int(np.searchsorted(explained, _EXPLAINED)) + 1, len(learnt) // _IMAGES_PER_COMPONENT
    )
    residual = max(variances[kept:].sum() / (len(mean) - kept), _LEAST_SCALE)
    without_threshold = Domain(
        mean,
        scale,
        directions[:kept],
        np.maximum(variances[:kept], residual),
        float(residual),
        _discriminant(standardized, turned),
        threshold=np.inf,
        eval_false_alarms=0.0,
    )
    others = tf.constant(_descriptions(evaluation, describe))
    distances = _distance(others, without_threshold).numpy()
    threshold = np.quantile(distances, 1 - settings.false_alarms, method="higher")
    return replace(
        without_threshold,
        threshold=float(threshold),
        eval_false_alarms=float((distances > threshold).mean()),
    )


def _describe_upside_down(pixels: tf.Tensor) -> tf.Tensor:
    return describe(pixels[:, ::-1])


def _discriminant(ones: np.ndarray, others: np.ndarray) -> np.ndarray:
    within = np.cov(ones, rowvar=False) + np.cov(others, rowvar=False)
    difference = ones.mean(axis=0) - others.mean(axis=0)
    direction = np.linalg.solve(within + _RIDGE * np.eye(len(difference)), difference)
    return (direction / max((ones @ direction).std(), _LEAST_SCALE)).astype(np.float32)


def _descriptions(
    images: batches.Images, describing: Callable[[tf.Tensor], tf.Tensor]
) -> np.ndarray:
    describe_batch = tf.function(describing)
    described = []
    for pixels, _, weight in batches.evaluation_batches(images, batch_size=_BATCH):
        described.append(describe_batch(pixels).numpy()[weight.numpy() > 0])
    return np.concatenate(described)


def _distance(described: tf.Tensor, domain: Domain) -> tf.Tensor:
    standardized = (described - domain.mean) / domain.scale
    along = tf.matmul(standardized, domain.components, transpose_b=True)
    rest = tf.reduce_sum(standardized**2, axis=1) - tf.reduce_sum(along**2, axis=1)
    squared = tf.reduce_sum(along**2 / domain.variances, axis=1)
    squared += tf.maximum(rest, 0.0) / domain.residual_variance
    deviations = tf.minimum(tf.linalg.matvec(standardized, domain.upright), 0.0)
    return tf.sqrt(squared / len(domain.mean) + (deviations / _UPSIDE_DOWN) ** 2)
