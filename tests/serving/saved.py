"""A small pushed model, made for tests: an image is pneumonia as far as it is white."""

import json
import shutil
from pathlib import Path

import tensorflow as tf

from serving.versions import pushed
from transform_module import contract
from transform_module.images.image_ops import images_to_png, model_inputs


class _White(tf.Module):
    def __init__(self, has_domain: bool, has_triage: bool):
        super().__init__()
        self.scale = tf.Variable(255.0)
        self.has_domain = has_domain
        self.has_triage = has_triage

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name=contract.IMAGE_BYTES)])
    def serve(self, image_bytes):
        # A test's image is the bytes of a PNG of one grey value; anything else is invalid.
        valid = tf.strings.substr(image_bytes, 0, 4) == b"\x89PNG"
        grey = tf.map_fn(self._grey, (image_bytes, valid), fn_output_signature=tf.float32)
        probability = tf.where(valid, grey / self.scale, 0.5)
        label = tf.gather(list(contract.LABELS), tf.cast(probability >= 0.5, tf.int32))
        outputs = {
            contract.PROBABILITY: probability,
            contract.PREDICTED_LABEL: tf.where(valid, label, contract.INVALID),
            contract.VALID: valid,
        }
        if not self.has_domain:
            return outputs
        # A black image is unlike the others, and so is what is invalid.
        distance = tf.where(valid, 3.0 - 2.0 * probability, 3.0)
        in_domain = distance < 2.9
        outputs |= {contract.IN_DOMAIN: in_domain, contract.DOMAIN_DISTANCE: distance}
        if not self.has_triage:
            return outputs
        is_decided = in_domain & ((probability < 0.45) | (probability >= 0.5))
        return outputs | {contract.TRIAGE: tf.where(is_decided, label, contract.REVIEW)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name=contract.EXAMPLES)])
    def transform_features(self, examples):
        spec = {contract.IMAGE: tf.io.FixedLenFeature([], tf.string)}
        pngs = images_to_png(tf.io.parse_example(examples, spec)[contract.IMAGE])
        return {contract.IMAGE_XF: model_inputs(pngs, contract.IMAGE_SIZE)[0]}

    def _grey(self, row):
        content, valid = row
        return tf.cond(
            valid,
            lambda: tf.reduce_mean(tf.cast(tf.io.decode_png(content, channels=1), tf.float32)),
            lambda: 0.0,
        )


def save(
    folder: Path,
    signature: str = contract.SERVING_DEFAULT,
    *,
    has_domain: bool = False,
    has_triage: bool = False,
) -> Path:
    """Saves the model as one version; without a domain or a triage it is as models once were."""
    model = _White(has_domain or has_triage, has_triage)
    signatures = {signature: model.serve, contract.TRANSFORM_FEATURES: model.transform_features}
    tf.saved_model.save(model, str(folder), signatures=signatures)
    record = folder / contract.MODEL_RECORD
    record.parent.mkdir()
    record.write_text(
        json.dumps({"labels": contract.LABELS, "threshold": 0.5, "image_size": contract.IMAGE_SIZE})
    )
    return folder


def save_explaining(folder: Path) -> Path:
    """Saves the small model with a signature ``explain``, which is hot at the right."""
    model = tf.Module()
    model.plain = tf.saved_model.load(str(save(folder / "plain", has_triage=True)))
    shutil.move(folder / "plain" / "assets.extra", folder / "assets.extra")

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name=contract.IMAGE_BYTES)])
    def serve(image_bytes):
        return model.plain.signatures[contract.SERVING_DEFAULT](image_bytes=image_bytes)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name=contract.IMAGE_BYTES)])
    def explain(image_bytes):
        outputs = model.plain.signatures[contract.SERVING_DEFAULT](image_bytes=image_bytes)
        rows = tf.shape(image_bytes)[0]
        columns = tf.linspace(0.0, 1.0, contract.IMAGE_SIZE)
        return {
            contract.PROBABILITY: outputs[contract.PROBABILITY],
            contract.HEATMAP: tf.ones([rows, contract.IMAGE_SIZE, 1]) * columns,
        }

    tf.saved_model.save(
        model, str(folder), signatures={contract.SERVING_DEFAULT: serve, contract.EXPLAIN: explain}
    )
    return folder


def write_manifest(folder: Path) -> Path:
    """Makes a version one that was pushed as it is now."""
    manifest = {"version": int(folder.name), "files": pushed.sums(folder)}
    (folder / pushed.MANIFEST).write_text(json.dumps(manifest))
    return folder
