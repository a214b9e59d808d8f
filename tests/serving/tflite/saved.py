"""A pushed model with a small network, sure of itself: pneumonia where an image is bright."""

import json
from pathlib import Path

import tensorflow as tf

from trainer_module.export.saved_model import at_least_one
from transform_module import contract
from transform_module.images import image_ops

SLOPE, SHIFT = 0.9, 0.2


class _Bright(tf.Module):
    def __init__(self):
        super().__init__()
        generator = tf.random.Generator.from_seed(3)
        self.kernel = tf.Variable(tf.abs(generator.normal((5, 5, 1, 8))) / 12)
        self.weights = tf.Variable(tf.ones((8, 1)))
        pixels = tf.linspace(0.0, 1.0, 2)[:, None, None, None] * tf.ones((1, 160, 160, 1))
        dark, bright = (float(each) for each in self.sum(pixels)[:, 0])
        # The logits of a black and a white image are -11 and 11.
        self.scale, self.middle = 22 / (bright - dark), (bright + dark) / 2

    def sum(self, pixels):
        seen = tf.nn.relu(tf.nn.conv2d(pixels, self.kernel, strides=4, padding="SAME"))
        return tf.reduce_mean(seen, axis=[1, 2]) @ self.weights

    @tf.function(input_signature=[tf.TensorSpec([None, 160, 160, 1], name=contract.IMAGE_XF)])
    def serve_pixels(self, image_xf):
        # As the pipeline exports it.
        pixels = at_least_one(image_xf)
        probability = tf.sigmoid(self.scale * (self.sum(pixels) - self.middle))[:, 0]
        kept = tf.clip_by_value(probability, 1e-7, 1 - 1e-7)
        logit = tf.math.log(kept) - tf.math.log1p(-kept)
        calibrated = tf.sigmoid(SLOPE * logit + SHIFT)
        return {contract.PROBABILITY: calibrated[: tf.shape(image_xf)[0]]}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name=contract.EXAMPLES)])
    def transform_features(self, examples):
        return {contract.IMAGE_XF: self._pixels(examples)[0]}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name=contract.EXAMPLES)])
    def serve_examples(self, examples):
        pixels, valid = self._pixels(examples)
        return {**self.serve_pixels(pixels), contract.VALID: valid}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name=contract.IMAGE_BYTES)])
    def serving_default(self, image_bytes):
        pixels, valid = self._prepared(image_bytes)
        probability = self.serve_pixels(pixels)[contract.PROBABILITY]
        label = tf.gather(list(contract.LABELS), tf.cast(probability >= 0.5, tf.int32))
        return {
            contract.PROBABILITY: probability,
            contract.PREDICTED_LABEL: label,
            contract.VALID: valid,
        }

    def _pixels(self, examples):
        spec = {contract.IMAGE: tf.io.FixedLenFeature([], tf.string)}
        return self._prepared(tf.io.parse_example(examples, spec)[contract.IMAGE])

    def _prepared(self, images):
        return image_ops.model_inputs(image_ops.images_to_png(images), contract.IMAGE_SIZE)


def save(folder: Path) -> Path:
    """Saves the model as one version."""
    model = _Bright()
    signatures = {
        contract.SERVING_DEFAULT: model.serving_default,
        contract.SERVE_EXAMPLES: model.serve_examples,
        contract.TRANSFORM_FEATURES: model.transform_features,
        contract.SERVE_PIXELS: model.serve_pixels,
    }
    tf.saved_model.save(model, str(folder), signatures=signatures)
    record = folder / contract.MODEL_RECORD
    record.parent.mkdir()
    record.write_text(
        json.dumps({"labels": contract.LABELS, "threshold": 0.5, "image_size": contract.IMAGE_SIZE})
    )
    return folder
