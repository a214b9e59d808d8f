"""Transformed examples to batches of pixels, labels and weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import tensorflow as tf

from trainer_module.augmentation import augment, draw
from trainer_module.augmentation.mixing import draw_share, mix
from trainer_module.augmentation_settings import AugmentationSettings
from trainer_module.class_weights import balanced
from transform_module.features import IMAGE_SIZE, IMAGE_XF, LABEL_XF, LABELS, PATIENT_XF
from transform_module.image_ops import png_to_pixels, rescale

_Example = tuple[tf.Tensor, tf.Tensor]

_SPEC = {
    IMAGE_XF: tf.io.FixedLenFeature([], tf.string),
    LABEL_XF: tf.io.FixedLenFeature([], tf.int64),
    PATIENT_XF: tf.io.FixedLenFeature([], tf.string),
}


@dataclass(frozen=True)
class Pictures:
    """A split or a part of it, decoded once and held in memory (25,600 bytes a picture).

    Attributes:
        dataset: yields pixels [160, 160, 1] uint8 and label, scalar float32, in the files' order.
        labels: [N] int64, in that order.
        patients: [N] ids as bytes, in that order.
        dropped: examples of the split left out because Transform could not decode their picture.
    """

    dataset: tf.data.Dataset
    labels: np.ndarray
    patients: np.ndarray
    dropped: int

    @property
    def count(self) -> int:
        """Pictures in it."""
        return len(self.labels)

    @property
    def class_counts(self) -> tuple[int, ...]:
        """Pictures in it, by label."""
        return tuple(np.bincount(self.labels, minlength=len(LABELS)).tolist())

    def where(self, chosen: np.ndarray) -> "Pictures":
        """Returns the pictures that are chosen [N] bool, in their order."""
        kept = self.dataset.enumerate().filter(lambda index, _: tf.gather(chosen, index))
        dataset = kept.map(lambda _, example: example)
        return Pictures(dataset, self.labels[chosen], self.patients[chosen], self.dropped)

    def __add__(self, other: "Pictures") -> "Pictures":
        """Returns these pictures, and then the other ones."""
        return Pictures(
            self.dataset.concatenate(other.dataset),
            np.concatenate([self.labels, other.labels]),
            np.concatenate([self.patients, other.patients]),
            self.dropped + other.dropped,
        )


def files_of(patterns: Sequence[str]) -> list[str]:
    """Lists the files that patterns name, each once and in the order of their names."""
    return sorted(file for pattern in patterns for file in tf.io.gfile.glob(pattern))


def read(files: Sequence[str]) -> Pictures:
    """Reads the transformed examples of one split.

    Args:
        files: GZIP TFRecord files, in the order in which they are read.

    Returns:
        The split's pictures.
    """
    records = tf.data.TFRecordDataset(list(files), compression_type="GZIP")
    parsed = records.batch(256).map(
        lambda batch: tf.io.parse_example(batch, _SPEC), num_parallel_calls=tf.data.AUTOTUNE
    )
    examples = (
        parsed.unbatch()
        .filter(lambda example: tf.not_equal(example[IMAGE_XF], ""))
        .map(
            lambda example: (
                png_to_pixels(example[IMAGE_XF]),
                tf.cast(example[LABEL_XF], tf.float32),
                example[PATIENT_XF],
            ),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        .cache()
    )
    facts = examples.map(lambda _, label, patient: (_index(label), patient)).batch(1024)
    labels, patients = [np.array([], np.int64)], [np.array([], object)]
    for batch_labels, batch_patients in facts.as_numpy_iterator():
        labels.append(batch_labels)
        patients.append(batch_patients)
    total = int(records.reduce(0, lambda count, _: count + 1))
    pictures = examples.map(lambda pixels, label, _: (pixels, label))
    kept = np.concatenate(labels)
    return Pictures(pictures, kept, np.concatenate(patients), total - len(kept))


def training_batches(
    pictures: Pictures,
    *,
    batch_size: int,
    epoch: int,
    seed: int,
    augmentation: AugmentationSettings,
    balance: Literal["class_weights", "sampling", "none"],
) -> tf.data.Dataset:
    """One epoch of training: shuffled, augmented, every batch full.

    Args:
        pictures: the split.
        batch_size: pictures in a batch; what does not fill the last one is left out.
        epoch: shuffling and augmentation differ by it, and by nothing else but the seed.
        seed: the run's.
        augmentation: how far pictures are changed.
        balance: see `TrainerSettings.balance`. Of sampling, an epoch has as many pictures as
            without: of the more frequent class not all, of the rare one some again.

    Returns:
        Batches of pixels [batch_size, 160, 160, 1] float32 in [0, 1], labels [batch_size] (the
        share of PNEUMONIA, where pictures are mixed) and weights [batch_size], both float32.
    """

    def numbered(index: tf.Tensor, examples: tuple[_Example, ...]) -> tuple[Any, ...]:
        picture_seed = tf.stack([tf.constant(seed, tf.int64), epoch * pictures.count + index])
        shares = [draw_share(picture_seed, augmentation.mixup) for _ in examples[1:]]
        return draw(picture_seed), *examples, *shares

    def prepared(pixels: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        return rescale(pixels), label, _weights(label, weights)

    def batch(
        drawn: tf.Tensor, one: _Example, other: _Example | None = None, share: tf.Tensor = None
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        pixels, label, weight = prepared(*one)
        if other:
            both = zip((pixels, label, weight), prepared(*other), strict=True)
            pixels, label, weight = (mix(share, mine, its) for mine, its in both)
        return augment(pixels, drawn, augmentation), label, weight

    counts = pictures.class_counts
    weights = balanced(counts) if balance == "class_weights" else (1.0,) * len(counts)
    order = _sampled if balance == "sampling" else _shuffled
    seeds = [seed + epoch]
    if augmentation.mixup:
        # Each picture is mixed with the one in its place in another order.
        seeds.append(-1 - seeds[0])
    return (
        tf.data.Dataset.zip(tuple(order(pictures, each) for each in seeds))
        .enumerate()
        .map(numbered, num_parallel_calls=tf.data.AUTOTUNE)
        .batch(batch_size, drop_remainder=True)
        .map(batch, num_parallel_calls=tf.data.AUTOTUNE)
    )


def evaluation_batches(
    pictures: Pictures, *, batch_size: int, multiple_of: int = 1
) -> tf.data.Dataset:
    """The whole split once, in order, every batch full: what is missing is padded with weight 0.

    Args:
        pictures: the split.
        batch_size: pictures in a batch.
        multiple_of: the number of batches is padded to a multiple of this, so that each replica
            gets as many as the others (an empty batch aborts the process in oneDNN).

    Returns:
        As `training_batches`, with weight 1 for each picture and 0 for padding.
    """
    block = batch_size * multiple_of
    padding = -pictures.count % block
    blank = tf.data.Dataset.from_tensors(
        (
            tf.zeros((IMAGE_SIZE, IMAGE_SIZE, 1), tf.uint8),
            tf.constant(0.0),
            tf.constant(0.0),
        )
    ).repeat(padding)
    return (
        pictures.dataset.map(lambda pixels, label: (pixels, label, tf.constant(1.0)))
        .concatenate(blank)
        .batch(batch_size, drop_remainder=True)
        .map(
            lambda pixels, label, weight: (rescale(pixels), label, weight),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
    )


def _shuffled(pictures: Pictures, seed: int) -> tf.data.Dataset:
    return pictures.dataset.shuffle(pictures.count, seed=seed)


def _sampled(pictures: Pictures, seed: int) -> tf.data.Dataset:
    """As many pictures as there are, each class as often as another."""
    classes = [
        pictures.dataset.filter(lambda _, label, index=index: _index(label) == index)
        .shuffle(count, seed=seed)
        .repeat()
        for index, count in enumerate(pictures.class_counts)
        if count
    ]
    return tf.data.Dataset.sample_from_datasets(classes, seed=seed).take(pictures.count)


def _weights(label: tf.Tensor, class_weights: Sequence[float]) -> tf.Tensor:
    return tf.gather(tf.constant(class_weights, tf.float32), _index(label))


def _index(label: tf.Tensor) -> tf.Tensor:
    return tf.cast(label, tf.int32)
