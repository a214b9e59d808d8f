"""Tiny models and examples, whose metrics can be worked out by hand."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from tfx import types
from tfx.types import standard_artifacts

from components.artifacts import example_counts
from transform_module import contract

BROKEN = "BROKEN"
"""The ``format`` of an example that a tiny model calls undecodable."""


def example(label: int, probability: float, **changes: Any) -> dict[str, Any]:
    """One example that a tiny model predicts with ``probability`` (by its width)."""
    name = contract.LABELS[label]
    return {
        contract.IMAGE: b"\xff\xd8 not utf-8 \xfe",
        contract.LABEL: label,
        contract.LABEL_NAME: name,
        contract.FILENAME: f"{name}.jpeg",
        contract.PATIENT_ID: "patient",
        contract.FORMAT: "JPEG",
        contract.WIDTH: round(1000 * probability),
        contract.HEIGHT: 224,
        contract.SHA256: "0" * 64,
        **changes,
    }


def write_split(folder: Path, split: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes a split of an Examples artifact; a value of None leaves the feature out."""
    path = folder / f"Split-{split}" / "images-00000-of-00001.tfrecord.gz"
    path.parent.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for row in rows:
            encoded = {name: _feature(value) for name, value in row.items() if value is not None}
            record = tf.train.Example(features=tf.train.Features(feature=encoded))
            writer.write(record.SerializeToString())


def examples_artifact(folder: Path, splits: Iterable[str]) -> standard_artifacts.Examples:
    artifact = standard_artifacts.Examples()
    artifact.uri = str(folder)
    artifact.splits = list(splits)
    artifact.span = 0
    records = {split: example_counts.count(artifact, split) for split in artifact.splits}
    example_counts.mark(artifact, records, "f1")
    return artifact


def transformed(folder: Path) -> dict[str, list[types.Artifact]]:
    """What a Trainer or a Tuner reads: four records of train and two of eval, as they are."""
    found = {}
    for name, place in {"source": folder / "source", "examples": folder / "transformed"}.items():
        for split, count in {contract.TRAIN: 4, contract.EVAL: 2}.items():
            write_split(place, split, [example(n % 2, 0.5) for n in range(count)])
        found[name] = [examples_artifact(place, [contract.TRAIN, contract.EVAL])]
    return found


class _Model(tf.Module):
    def __init__(self, power: float, fails: bool, has_domain: bool):
        super().__init__()
        self.power = tf.Variable(power)
        self.fails = fails
        self.has_domain = has_domain

    def _outputs(self, examples: tf.Tensor, inverted: bool) -> dict[str, tf.Tensor]:
        spec = {
            contract.WIDTH: tf.io.FixedLenFeature([], tf.int64),
            contract.FORMAT: tf.io.FixedLenFeature([], tf.string),
        }
        parsed = tf.io.parse_example(examples, spec)
        valid = parsed[contract.FORMAT] != BROKEN
        probability = (tf.cast(parsed[contract.WIDTH], tf.float32) / 1000) ** self.power
        probability = 1 - probability if inverted else probability
        if self.fails:
            with tf.control_dependencies([tf.debugging.Assert(False, ["it breaks"])]):
                probability = tf.identity(probability)
        probability = tf.where(valid, probability, 0.5)
        label = tf.gather(list(contract.LABELS), tf.cast(probability >= 0.5, tf.int32))
        outputs = {
            contract.PROBABILITY: probability,
            contract.PREDICTED_LABEL: label,
            contract.VALID: valid,
        }
        if not self.has_domain:
            return outputs
        distance = tf.ones_like(probability)
        return outputs | {
            contract.IN_DOMAIN: valid,
            contract.DOMAIN_DISTANCE: distance,
            contract.TRIAGE: tf.where(valid & (probability > 0.5), label, contract.REVIEW),
        }

    @tf.function
    def serve_examples(self, examples):
        return self._outputs(examples, inverted=False)

    @tf.function
    def transform_features(self, examples):
        return {contract.IMAGE_XF: tf.fill([tf.size(examples), 160, 160, 1], 0.2)}

    @tf.function
    def serving_default(self, examples):
        return self._outputs(examples, inverted=True)


def save_model(
    folder: Path,
    power: float = 1.0,
    threshold: float | None = 0.5,
    signatures: Iterable[str] = (
        contract.SERVE_EXAMPLES,
        contract.SERVING_DEFAULT,
        contract.TRANSFORM_FEATURES,
    ),
    fails: bool = False,
    has_domain: bool = False,
    labels: Iterable[str] = contract.LABELS,
    record: bool = True,
) -> Path:
    """Saves a model whose probability is ``(width / 1000) ** power``.

    ``serving_default`` predicts the opposite, so that what was evaluated shows. A negative power is
    worse than chance.
    """
    model = _Model(power, fails, has_domain)
    spec = tf.TensorSpec([None], tf.string, name=contract.EXAMPLES)
    functions = {name: getattr(model, name).get_concrete_function(spec) for name in signatures}
    tf.saved_model.save(model, str(folder), signatures=functions)
    if record:
        path = folder / contract.MODEL_RECORD
        path.parent.mkdir(parents=True)
        output = {} if threshold is None else {"threshold": threshold}
        path.write_text(json.dumps({"labels": list(labels), **output}))
    return folder


def artifact(kind: type, folder: Path) -> Any:
    """An artifact of a TFX type at a folder, which is made."""
    made = kind()
    made.uri = str(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return made


def _feature(value: Any) -> tf.train.Feature:
    if isinstance(value, int):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
    if isinstance(value, float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
    content = value.encode() if isinstance(value, str) else value
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[content]))
