"""The SavedModel: signatures on raw bytes and on Examples, and the record beside them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
import tensorflow_transform as tft

from trainer_module.decision.calibration import Calibration
from trainer_module.decision.domain import Domain
from trainer_module.decision.triage import Triage
from trainer_module.export import architecture, grad_cam, warmup_requests
from trainer_module.networks import ensemble
from transform_module import contract
from transform_module.images.image_ops import model_inputs

# The output of a row whose image cannot be decoded: the probability that decides nothing.
_INVALID_PROBABILITY = 0.5


class Alignment(tf.Module):
    """What `serving.align` changes of an exported model: two numbers of its checkpoint.

    Attributes:
        alignment_shift: added to the logit of the calibrated probability, for the prevalence of
            another place; 0 as it is trained. Nothing but ``probability`` follows it.
        alignment_threshold: PNEUMONIA from this probability on, before the shift.
    """

    def __init__(self, threshold: float) -> None:
        """Shifts nothing."""
        super().__init__()
        # The names are in the checkpoint, by which they are found.
        self.alignment_shift = tf.Variable(0.0, trainable=False, name="alignment_shift")
        self.alignment_threshold = tf.Variable(
            threshold, trainable=False, dtype=tf.float32, name="alignment_threshold"
        )


def predicted_labels(
    probability: tf.Tensor, valid: tf.Tensor, threshold: float | tf.Variable
) -> tf.Tensor:
    """Returns [N] string: PNEUMONIA from the threshold on, INVALID for images that are not valid.

    Args:
        probability: [N] float32, calibrated.
        valid: [N] bool.
        threshold: a float32.
    """
    index = tf.cast(probability >= threshold, tf.int32)
    return tf.where(valid, tf.gather(list(contract.LABELS), index), contract.INVALID)


def export(
    model: keras.Model,
    transform_output: tft.TFTransformOutput,
    directory: Path,
    *,
    calibration: Calibration,
    domain: Domain,
    threshold: float,
    triage: Triage,
    record: Mapping[str, Any],
) -> None:
    """Writes the model with its signatures, its record and its warm-up requests.

    ``serving_default``: ``image_bytes`` [N] string to ``probability`` [N] float32, ``label`` [N]
    string, ``valid`` [N] bool, ``in_domain`` [N] bool and ``domain_distance`` [N] float32, see
    `trainer_module.decision.domain`, and ``triage`` [N] string, see
    `trainer_module.decision.triage`. ``serve_examples``: the same from ``examples`` [N] string.
    ``transform_features``: ``examples`` to ``image_xf`` [N, size, size, 1] float32 in [0, 1]. An
    image that cannot be decoded has ``valid`` and ``in_domain`` false, probability 0.5, label
    ``INVALID``, triage ``REVIEW`` and a black image's distance, or zeros as pixels; the rest of its
    batch is not touched. A blank image is ``valid``, and never ``in_domain``. ``serve_pixels``:
    ``image_xf`` [N, size, size, 1] float32 in [0, 1] to ``probability``, for what runs where
    nothing decodes images. Each returns no rows for a batch of no rows.

    A model with a last convolutional feature map has ``explain`` too: ``image_bytes`` to
    ``probability``, as ``serving_default``'s, and ``heatmap`` [N, size, size] float32 in [0, 1],
    see `trainer_module.export.grad_cam.grad_cam`; zeros where the image cannot be decoded.

    Args:
        model: pixels in, probability [N, 1] out; made outside any strategy's scope.
        transform_output: whose graph prepares the images.
        directory: does not exist yet, or is empty.
        calibration: of the model's probabilities.
        domain: what the training images look like.
        threshold: ``label`` is PNEUMONIA where the probability is at least this.
        triage: ``triage`` is REVIEW where ``in_domain`` is false, too.
        record: what else ``assets.extra/model.json`` has.
    """
    transform = transform_output.transform_features_layer()
    alignment = Alignment(threshold)
    size = model.input_shape[1]

    def pixels_of(image_bytes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        transformed = transform({contract.IMAGE: image_bytes[:, tf.newaxis]})
        return model_inputs(transformed[contract.IMAGE_XF], size)

    def logit_of(pixels: tf.Tensor) -> tf.Tensor:
        logit = calibration.logit(model(at_least_one(pixels), training=False)[:, 0])
        return logit[: tf.shape(pixels)[0]]

    def aligned(logit: tf.Tensor) -> tf.Tensor:
        return tf.sigmoid(logit + alignment.alignment_shift)

    def serve_pixels(image_xf: tf.Tensor) -> dict[str, tf.Tensor]:
        return {contract.PROBABILITY: aligned(logit_of(image_xf))}

    def predict(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        pixels, valid = pixels_of(image_bytes)
        logit = logit_of(pixels)
        # Label and triage are decided before the alignment, which keeps the order of the images.
        decisive = tf.where(valid, tf.sigmoid(logit), _INVALID_PROBABILITY)
        distance = domain.distance(pixels)
        in_domain = valid & (distance <= domain.threshold) & ~_is_blank(pixels)
        return {
            contract.PROBABILITY: tf.where(valid, aligned(logit), _INVALID_PROBABILITY),
            contract.PREDICTED_LABEL: predicted_labels(
                decisive, valid, alignment.alignment_threshold
            ),
            contract.VALID: valid,
            contract.IN_DOMAIN: in_domain,
            contract.DOMAIN_DISTANCE: distance,
            contract.TRIAGE: triage(decisive, in_domain),
        }

    def images_of(examples: tf.Tensor) -> tf.Tensor:
        # An Example without an image is a row like one with a broken image.
        spec = {contract.IMAGE: tf.io.FixedLenFeature([], tf.string, default_value="")}
        return tf.io.parse_example(examples, spec)[contract.IMAGE]

    def serve_examples(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return predict(images_of(examples))

    def transform_features(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return {contract.IMAGE_XF: pixels_of(images_of(examples))[0]}

    endpoints = [
        (contract.SERVING_DEFAULT, predict, contract.IMAGE_BYTES),
        (contract.SERVE_EXAMPLES, serve_examples, contract.EXAMPLES),
        (contract.TRANSFORM_FEATURES, transform_features, contract.EXAMPLES),
    ]
    parts = ensemble.members(model)
    if all(map(grad_cam.has_feature_map, parts)):
        heat_map = grad_cam.grad_cam(parts)

        def explained(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
            pixels, valid = pixels_of(image_bytes)
            is_shown = valid[:, tf.newaxis, tf.newaxis]
            return {
                contract.PROBABILITY: tf.where(
                    valid, aligned(logit_of(pixels)), _INVALID_PROBABILITY
                ),
                contract.HEATMAP: tf.where(
                    is_shown, heat_map(at_least_one(pixels))[: tf.size(valid)], 0.0
                ),
            }

        endpoints.append((contract.EXPLAIN, explained, contract.IMAGE_BYTES))

    archive = keras.export.ExportArchive()
    # The model's variables are tracked by its endpoints; tracking the model too writes them twice.
    archive.track(transform)
    archive.track(alignment)
    for name, function, argument in endpoints:
        archive.add_endpoint(name, function, [tf.TensorSpec([None], tf.string, name=argument)])
    spec = tf.TensorSpec([None, size, size, 1], tf.float32, name=contract.IMAGE_XF)
    archive.add_endpoint(contract.SERVE_PIXELS, serve_pixels, [spec])
    archive.write_out(str(directory), verbose=False)
    warmup_requests.write_requests(directory)

    path = directory / contract.MODEL_RECORD
    path.parent.mkdir(exist_ok=True)
    architecture.write(model, calibration, directory)
    contents = {
        "labels": contract.LABELS,
        "threshold": threshold,
        "image_size": size,
        **record,
    }
    path.write_text(json.dumps(contents, indent=2, allow_nan=False) + "\n")


def at_least_one(pixels: tf.Tensor) -> tf.Tensor:
    """Adds a black image to a batch of none, on which TensorFlow's fused convolutions fail.

    Args:
        pixels: [N, size, size, 1] float32.

    Returns:
        The same shape, which is known but for N: TFLite converts no other, as `tf.pad` has it.
    """
    sizes = pixels.shape[1:]
    missing = tf.cast(tf.equal(tf.shape(pixels)[0], 0), tf.int32)
    return tf.ensure_shape(tf.concat([pixels, tf.zeros([missing, *sizes])], 0), [None, *sizes])


def _is_blank(pixels: tf.Tensor) -> tf.Tensor:
    """Returns [N] bool, as conversion finds images blank, of pixels [N, size, size, 1]."""
    side = pixels.shape[1] // contract.THUMBNAIL_SIDE
    small = tf.nn.avg_pool2d(pixels, side, side, "VALID")
    return tf.math.reduce_std(small, axis=(1, 2, 3)) * 255 < contract.LEAST_DEVIATION
