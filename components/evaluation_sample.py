"""A sample of the test images and what the Evaluator's model said of them."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import tensorflow as tf
from tfx import types
from tfx.types import artifact_utils
from tfx.utils import io_utils

from transform_module import features

SAMPLE: Final = "sample.jsonl"
"""The file within a ModelEvaluation artifact that holds the answers, a line each."""

SIZE: Final = 128
"""Images in the sample: the first ones of the test split, where the classes are mixed."""

_BATCH: Final = features.SERVING_BATCH_SIZES[-1]


@dataclass(frozen=True)
class PredictedImage:
    """What the model said of an image.

    Attributes:
        sha256: of the image's bytes.
        probability: of pneumonia.
        label: NORMAL, PNEUMONIA or INVALID.
        valid: whether the model could decode it.
        domain_distance: how far it is from the training images; None where the model does not
            report it.
    """

    sha256: str
    probability: float
    label: str
    valid: bool
    domain_distance: float | None = None


def examples_of(artifact: types.Artifact) -> list[bytes]:
    """Reads the sample's serialized tf.Examples from an Examples artifact."""
    pattern = io_utils.all_files_pattern(artifact_utils.get_split_uri([artifact], features.TEST))
    files = sorted(tf.io.gfile.glob(pattern))
    dataset = tf.data.TFRecordDataset(files, compression_type="GZIP").take(SIZE)
    return list(dataset.as_numpy_iterator())


def image_of(example: bytes) -> tuple[str, bytes]:
    """Returns an image's SHA-256 and its bytes."""
    values = tf.train.Example.FromString(example).features.feature[features.IMAGE].bytes_list.value
    image = values[0] if values else b""
    return hashlib.sha256(image).hexdigest(), image


def predict(model: str, examples: Sequence[bytes]) -> Iterator[PredictedImage]:
    """Asks a model's ``serve_examples``, the signature that the Evaluator uses.

    Args:
        model: the SavedModel's folder.
        examples: serialized tf.Examples.
    """
    loaded = tf.saved_model.load(model)
    signature = loaded.signatures[features.SERVE_EXAMPLES]
    for start in range(0, len(examples), _BATCH):
        batch = examples[start : start + _BATCH]
        out = signature(**{features.EXAMPLES: tf.constant(batch)})
        distances = out.get(features.DOMAIN_DISTANCE)
        rows = zip(
            batch,
            out[features.PROBABILITY].numpy(),
            out[features.PREDICTED_LABEL].numpy(),
            out[features.VALID].numpy(),
            [None] * len(batch) if distances is None else distances.numpy().tolist(),
            strict=True,
        )
        for example, probability, label, valid, distance in rows:
            sha256, _ = image_of(example)
            yield PredictedImage(sha256, float(probability), label.decode(), bool(valid), distance)


def to_lines(sample: Sequence[PredictedImage]) -> str:
    """Returns the content of ``sample.jsonl``."""
    return "".join(f"{json.dumps(asdict(each), allow_nan=False)}\n" for each in sample)


def read(folder: str | Path) -> list[PredictedImage]:
    """Reads ``sample.jsonl`` in the folder of a ModelEvaluation artifact."""
    text = (Path(folder) / SAMPLE).read_text(encoding="utf-8")
    return [PredictedImage(**json.loads(line)) for line in text.splitlines()]
