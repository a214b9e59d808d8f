"""A model for the conformance cases: the project's signatures, and one for each kind of tensor.

``serving_default`` and ``serve_examples`` have the names, types and meaning of a pushed model's:
an image is pneumonia as far as it is white. The others give back what they get, so that a case
knows its output.
"""

import json
from pathlib import Path

import tensorflow as tf

from transform_module import contract

# The versions of the embedded server's model, of which it serves the later one.
VERSION = 17
OLDER_VERSION = 3
LABEL = "stable"
"""The label of the served version."""

# A server of the project's model lacks all signatures but the first two.
IDENTITY_TYPES = ("bool", "float32", "float64", "int32", "int64", "string", "uint8")
TYPED = "typed"
MATRIX = "matrix"
UNEVEN = "uneven"
TOTAL = "total"


def identity(type_name: str) -> str:
    """The name of the signature that takes ``x`` [N] of a type, and returns ``y`` [N]."""
    return f"identity_{type_name}"


def _spec(dtype: tf.DType, name: str, rank: int = 1) -> tf.TensorSpec:
    return tf.TensorSpec([None] * rank, dtype, name=name)


class _Model(tf.Module):
    def __init__(self, white: float):
        super().__init__()
        self.white = tf.Variable(white)

    @tf.function(input_signature=[_spec(tf.string, contract.IMAGE_BYTES)])
    def serve(self, image_bytes):
        return self._predict(image_bytes)

    @tf.function(input_signature=[_spec(tf.string, contract.EXAMPLES)])
    def serve_examples(self, examples):
        spec = {contract.IMAGE: tf.io.FixedLenFeature([], tf.string, default_value="")}
        return self._predict(tf.io.parse_example(examples, spec)[contract.IMAGE])

    def _predict(self, image_bytes):
        # Whole PNG and JPEG files are valid; a graph cannot try to decode.
        padded = tf.strings.join([b"\0" * 16, image_bytes])
        png = tf.logical_and(
            tf.strings.substr(image_bytes, 0, 4) == b"\x89PNG",
            tf.strings.substr(padded, -8, 4) == b"IEND",
        )
        jpeg = tf.logical_and(
            tf.strings.substr(image_bytes, 0, 2) == b"\xff\xd8",
            tf.strings.substr(padded, -2, 2) == b"\xff\xd9",
        )
        valid = tf.logical_or(png, jpeg)
        grey = tf.map_fn(self._grey, (image_bytes, valid), fn_output_signature=tf.float32)
        probability = tf.where(valid, grey / self.white, 0.5)
        label = tf.gather(list(contract.LABELS), tf.cast(probability >= 0.5, tf.int32))
        return {
            contract.PROBABILITY: probability,
            contract.PREDICTED_LABEL: tf.where(valid, label, contract.INVALID),
            contract.VALID: valid,
            contract.IN_DOMAIN: valid,
            contract.DOMAIN_DISTANCE: tf.where(valid, 1.0, 9.0) + tf.zeros_like(probability),
            contract.TRIAGE: tf.where(valid & (tf.abs(probability - 0.5) > 0.1), label, "REVIEW"),
        }

    def _grey(self, row):
        content, valid = row
        return tf.cond(
            valid,
            lambda: tf.reduce_mean(
                tf.cast(
                    tf.io.decode_image(content, channels=1, expand_animations=False), tf.float32
                )
            ),
            lambda: 0.0,
        )

    @tf.function(
        input_signature=[
            _spec(tf.int32, "integer"),
            _spec(tf.float32, "number"),
            _spec(tf.bool, "flag"),
            _spec(tf.string, "text"),
        ]
    )
    def typed(self, integer, number, flag, text):
        return {
            "integer": tf.identity(integer),
            "number": tf.identity(number),
            "flag": tf.identity(flag),
            "text": tf.identity(text),
            "text_bytes": tf.identity(text),
        }

    @tf.function(input_signature=[_spec(tf.float32, "x", rank=2)])
    def matrix(self, x):
        return {"y": tf.identity(x)}

    @tf.function(input_signature=[_spec(tf.float32, "left"), _spec(tf.float32, "right")])
    def uneven(self, left, right):
        return {"left": tf.identity(left), "right": tf.identity(right)}

    @tf.function(input_signature=[_spec(tf.float32, "x")])
    def total(self, x):
        return {"sum": tf.reduce_sum(x)}


def _identity_of(type_name: str):
    @tf.function(input_signature=[_spec(tf.dtypes.as_dtype(type_name), "x")])
    def same(x):
        return {"y": tf.identity(x)}

    return same


def save(folder: Path, white: float = 255.0) -> Path:
    """Saves the model as one version.

    Args:
        folder: of the version.
        white: the grey value of probability 1; it distinguishes versions.
    """
    model = _Model(white)
    signatures = {
        contract.SERVING_DEFAULT: model.serve,
        contract.SERVE_EXAMPLES: model.serve_examples,
        TYPED: model.typed,
        MATRIX: model.matrix,
        UNEVEN: model.uneven,
        TOTAL: model.total,
    }
    for type_name in IDENTITY_TYPES:
        signatures[identity(type_name)] = _identity_of(type_name)
    tf.saved_model.save(model, str(folder), signatures=signatures)
    record = folder / contract.MODEL_RECORD
    record.parent.mkdir()
    record.write_text(
        json.dumps({"labels": contract.LABELS, "threshold": 0.5, "image_size": contract.IMAGE_SIZE})
    )
    return folder
