"""Transformed examples to batches of pixels, labels and weights."""

import functools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

import numpy as np
import tensorflow as tf

from trainer_module.input import free_memory, stream
from trainer_module.input.augmentation import augment, draw
from trainer_module.input.augmentation.mixing import draw_share, mix
from trainer_module.input.class_weights import balanced
from trainer_module.input.stream import Stream
from trainer_module.settings.augmentation import AugmentationSettings
from transform_module.contract import IMAGE_XF, LABEL_XF, LABELS, PATIENT_XF
from transform_module.images.image_ops import png_to_pixels, rescale

_LOG = logging.getLogger(__name__)

_Example = tuple[tf.Tensor, tf.Tensor]

ALONE: Final = tf.distribute.InputContext()
"""Of a training on one replica in one process."""

_GROWTH: Final = 3
"""So many times as large as its compressed file an example is in memory, decoded: 2 on X-rays."""


@dataclass(frozen=True)
class Images:
    """A split or a part of it, held in memory (a byte a pixel of each decoded image) or streamed.

    Attributes:
        dataset: yields image and label, scalar float32, in the files' order. An image is pixels
            [size, size, 1] uint8 or, where each worker decodes its share alone and in a stream, a
            scalar string, PNG.
        labels: [N] int64, in that order.
        patients: [N] ids as bytes, in that order.
        dropped: examples of the split left out because Transform could not decode their image.
        size: side of the images, in pixels.
        stream: where they are read from each time; None where they are in memory.
    """

    dataset: tf.data.Dataset
    labels: np.ndarray
    patients: np.ndarray
    dropped: int
    size: int
    stream: Stream | None = None

    @property
    def count(self) -> int:
        """Images in it."""
        return len(self.labels)

    @property
    def class_counts(self) -> tuple[int, ...]:
        """Images in it, by label."""
        return tuple(np.bincount(self.labels, minlength=len(LABELS)).tolist())

    @property
    def pixels(self) -> tf.data.Dataset:
        """Yields pixels [size, size, 1] uint8 of each image, in the files' order."""
        return self.dataset.map(
            lambda image, _: _decoded(image, self.size), num_parallel_calls=tf.data.AUTOTUNE
        )

    def where(self, chosen: np.ndarray) -> "Images":
        """Returns the images that are chosen [N] bool, in their order."""
        if self.stream:
            stream = self.stream.where(chosen)
            dataset = stream.in_order()
        else:
            stream = None
            kept = self.dataset.enumerate().filter(lambda index, _: tf.gather(chosen, index))
            dataset = kept.map(lambda _, example: example)
        labels, patients = self.labels[chosen], self.patients[chosen]
        return Images(dataset, labels, patients, self.dropped, self.size, stream)

    def __add__(self, other: "Images") -> "Images":
        """Returns these images, and then the other ones."""
        return Images(
            self.dataset.concatenate(other.dataset),
            np.concatenate([self.labels, other.labels]),
            np.concatenate([self.patients, other.patients]),
            self.dropped + other.dropped,
            self.size,
            self.stream + other.stream if self.stream and other.stream else None,
        )


def files_of(patterns: Sequence[str]) -> list[str]:
    """Lists the files that patterns name, each once and in the order of their names."""
    return sorted(file for pattern in patterns for file in tf.io.gfile.glob(pattern))


def fit_in_memory(files: Sequence[str], available: int) -> bool:
    """Returns whether the examples of files take at most half of the memory that is left.

    Args:
        files: GZIP TFRecord files.
        available: in bytes.
    """
    return 2 * _GROWTH * sum(tf.io.gfile.stat(file).length for file in files) <= available


def read_splits(
    train: Sequence[str], evaluation: Sequence[str], size: int, *, decode: bool = True
) -> tuple[Images, Images]:
    """Reads both splits of a training: into memory where they fit, else as streams.

    Args:
        train: GZIP TFRecord files of the one.
        evaluation: of the other.
        size: see `read`.
        decode: see `read`.
    """
    in_memory = fit_in_memory([*train, *evaluation], free_memory.available())
    if not in_memory:
        _LOG.info("The images do not fit into memory: they are read from their files each epoch.")
    return (
        read(train, size, decode=decode, in_memory=in_memory),
        read(evaluation, size, decode=decode, in_memory=in_memory),
    )


def read(files: Sequence[str], size: int, *, decode: bool = True, in_memory: bool = True) -> Images:
    """Reads the transformed examples of one split.

    Args:
        files: GZIP TFRecord files, in the order in which they are read.
        size: side of the images, in pixels, as Transform stored them.
        decode: whether each image is decoded here, once; else by whoever reads it, each time.
        in_memory: whether they are held in memory; else labels and patients alone.

    Returns:
        The split's images.
    """
    if not in_memory:
        return _streamed(files, size)
    raw = tf.data.TFRecordDataset(list(files), compression_type="GZIP")
    examples = (
        stream.records(list(files))
        .map(
            lambda example: (
                png_to_pixels(example[IMAGE_XF], size) if decode else example[IMAGE_XF],
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
    total = int(raw.reduce(0, lambda count, _: count + 1))
    images = examples.map(lambda pixels, label, _: (pixels, label))
    kept = np.concatenate(labels)
    return Images(images, kept, np.concatenate(patients), total - len(kept), size)


def _streamed(files: Sequence[str], size: int) -> Images:
    """Reads the labels and patients of a split, and remembers where its images are."""
    labels, patients = [np.array([], np.int64)], [np.array([], object)]
    starts, total = [], 0
    for file in files:
        starts.append(sum(map(len, labels)))
        valid = stream.records(file).map(lambda example: (example[LABEL_XF], example[PATIENT_XF]))
        for file_labels, file_patients in valid.batch(1024).as_numpy_iterator():
            labels.append(file_labels)
            patients.append(file_patients)
        raw = tf.data.TFRecordDataset(file, compression_type="GZIP")
        total += int(raw.reduce(0, lambda count, _: count + 1))
    kept = np.concatenate(labels)
    known = Stream(tuple(files), tuple(starts), np.ones(len(kept), bool))
    dropped = total - len(kept)
    return Images(known.in_order(), kept, np.concatenate(patients), dropped, size, known)


def training_batches(
    images: Images,
    batch_size: int,
    share: tf.distribute.InputContext = ALONE,
    *,
    epoch: int,
    seed: int,
    augmentation: AugmentationSettings,
    balance: Literal["class_weights", "sampling", "none"],
) -> tf.data.Dataset:
    """One epoch of training: shuffled, augmented, every batch full.

    All replicas together take the same images in a step as one would in a batch of that size, and
    each decodes and augments its own alone. Streamed, each input pipeline shuffles its own files.

    Args:
        images: the split.
        batch_size: images in a batch, of which each replica takes one a step.
        share: whose batches these are. What does not fill the last step of all replicas is left
            out, other images in each epoch, so that each input pipeline has as many batches.
        epoch: shuffling and augmentation differ by it, and by nothing else but the seed.
        seed: the run's.
        augmentation: how far images are changed.
        balance: see `TrainerSettings.balance`. Of sampling, an epoch has as many images as
            without: of the more frequent class not all, of the rare one some again.

    Returns:
        Batches of pixels [batch_size, size, size, 1] float32 in [0, 1], labels [batch_size] float32
        in [0, 1], the share of PNEUMONIA, and weights [batch_size, 2] float32: by how much the loss
        against NORMAL counts, and that against PNEUMONIA. Without class weights they are those of
        the label, 1 - label and label.
    """
    counts = images.class_counts
    class_weights = balanced(counts) if balance == "class_weights" else (1.0,) * len(counts)
    # Each image is mixed with the one in its place in another order.
    orders = 2 if augmentation.mixup else 1
    # Not sums: the epochs of two trainings with neighbouring seeds would share their orders.
    seeds = np.random.SeedSequence((seed, epoch)).generate_state(orders).tolist()
    step = batch_size * share.num_replicas_in_sync
    order = _sampled if balance == "sampling" else _shuffled
    numbers = tf.data.Dataset.zip(tuple(order(images, each, share) for each in seeds)).enumerate()
    draws, batch = _augmented(images.size, seed, augmentation, class_weights)
    first = epoch * images.count
    if images.stream:
        pipelines, own = share.num_input_pipelines, share.input_pipeline_id
        taken = numbers.take(images.count // step * step // pipelines).map(
            lambda index, examples: (index * pipelines + own, examples)
        )
    else:
        taken = _share(numbers.take(images.count // step * step), step, share)
    return (
        taken.map(
            lambda index, examples: draws(first + index, examples),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        .batch(batch_size, drop_remainder=True)
        .map(batch, num_parallel_calls=tf.data.AUTOTUNE)
    )


@functools.lru_cache(maxsize=1)
def _augmented(
    size: int, seed: int, augmentation: AugmentationSettings, class_weights: tuple[float, ...]
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Makes what draws by how much a numbered image changes, and what changes a batch.

    All epochs of a training use the same two: to trace them takes half a second.
    """

    def draws(index: tf.Tensor, examples: tuple[_Example, ...]) -> tuple[Any, ...]:
        image_seed = tf.stack([tf.constant(seed, tf.int64), index])
        decoded = [(_decoded(image, size), label) for image, label in examples]
        kept = [draw_share(image_seed, augmentation.mixup) for _ in examples[1:]]
        return draw(image_seed), *decoded, *kept

    def batch(
        drawn: tf.Tensor, one: _Example, other: _Example | None = None, kept: tf.Tensor = None
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        pixels, label = rescale(one[0]), one[1]
        if other:
            pixels = mix(kept, pixels, rescale(other[0]))
            label = mix(kept, label, other[1])
        weights = tf.stack([1 - label, label], axis=1) * class_weights
        return augment(pixels, drawn, augmentation), label, weights

    return tf.function(draws, autograph=False), tf.function(batch, autograph=False)


def evaluation_batches(
    images: Images, batch_size: int, share: tf.distribute.InputContext = ALONE
) -> tf.data.Dataset:
    """The whole split once, in order, every batch full: what is missing is padded with weight 0.

    Args:
        images: the split.
        batch_size: images in a batch, of which each replica takes one a step.
        share: whose batches these are. The last step is padded for all replicas, so that each
            gets as many batches as the others (an empty one aborts the process in oneDNN).

    Returns:
        Batches of pixels [batch_size, size, size, 1] float32 in [0, 1], labels [batch_size]
        float32, and weights [batch_size] float32: 1 for each image and 0 for padding.
    """
    step = batch_size * share.num_replicas_in_sync
    padding = -images.count % step
    blank = tf.data.Dataset.from_tensors(
        (
            tf.zeros((images.size, images.size, 1), tf.uint8),
            tf.constant(0.0),
            tf.constant(0.0),
        )
    ).repeat()
    own = _share(images.dataset.enumerate(), step, share).map(
        lambda _, example: (_decoded(example[0], images.size), example[1], tf.constant(1.0)),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    return (
        own.concatenate(blank)
        .batch(batch_size, drop_remainder=True)
        .take((images.count + padding) // batch_size // share.num_input_pipelines)
        .map(
            lambda pixels, label, weight: (rescale(pixels), label, weight),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
    )


def _share(
    numbered: tf.data.Dataset, step: int, share: tf.distribute.InputContext
) -> tf.data.Dataset:
    """Keeps of numbered examples, of which each step takes so many, those of one input pipeline."""
    if share.num_input_pipelines == 1:
        return numbered
    own = step // share.num_input_pipelines
    return numbered.filter(lambda index, *_: index % step // own == share.input_pipeline_id)


def _decoded(image: tf.Tensor, size: int) -> tf.Tensor:
    return png_to_pixels(image, size) if image.dtype == tf.string else image


def _shuffled(images: Images, seed: int, share: tf.distribute.InputContext) -> tf.data.Dataset:
    if images.stream:
        return images.stream.shuffled(seed, share)
    return images.dataset.shuffle(images.count, seed=seed)


def _sampled(images: Images, seed: int, share: tf.distribute.InputContext) -> tf.data.Dataset:
    """As many images as there are, each class as often as another."""
    classes = []
    for index, count in enumerate(images.class_counts):
        if not count:
            continue
        of_class = partial(_is_of, index)
        if images.stream:
            classes.append(images.stream.shuffled(seed, share).filter(of_class))
        else:
            classes.append(images.dataset.filter(of_class).shuffle(count, seed=seed).repeat())
    return tf.data.Dataset.sample_from_datasets(classes, seed=seed).take(images.count)


def _is_of(index: int, _: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
    return _index(label) == index


def _index(label: tf.Tensor) -> tf.Tensor:
    return tf.cast(label, tf.int32)
