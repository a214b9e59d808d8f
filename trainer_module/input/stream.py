"""Transformed examples read as a stream, where they do not fit into memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import tensorflow as tf

from transform_module.contract import IMAGE_XF, LABEL_XF, PATIENT_XF

SHUFFLED: Final = 10_000
"""Images in the shuffle buffer, as PNG: about 150 MB."""

INTERLEAVED: Final = 16
"""Files that are read by turns."""

_SPEC = {
    IMAGE_XF: tf.io.FixedLenFeature([], tf.string),
    LABEL_XF: tf.io.FixedLenFeature([], tf.int64),
    PATIENT_XF: tf.io.FixedLenFeature([], tf.string),
}


def records(files: Sequence[str] | tf.Tensor) -> tf.data.Dataset:
    """Yields the examples of GZIP TFRecord files whose image could be decoded, parsed."""
    return (
        tf.data.TFRecordDataset(files, compression_type="GZIP")
        .batch(256)
        .map(lambda batch: tf.io.parse_example(batch, _SPEC), num_parallel_calls=tf.data.AUTOTUNE)
        .unbatch()
        .filter(lambda example: tf.not_equal(example[IMAGE_XF], ""))
    )


@dataclass(frozen=True)
class Stream:
    """Images that are read from their files each time.

    Attributes:
        files: GZIP TFRecord files.
        starts: the position of the first image of each, among those of all.
        chosen: [N] bool, by position: which images of the files are meant.
    """

    files: tuple[str, ...]
    starts: tuple[int, ...]
    chosen: np.ndarray

    def where(self, chosen: np.ndarray) -> "Stream":
        """Returns those of the images that are chosen, [M] bool."""
        kept = self.chosen.copy()
        kept[kept] = chosen
        return Stream(self.files, self.starts, kept)

    def __add__(self, other: "Stream") -> "Stream":
        shifted = tuple(start + len(self.chosen) for start in other.starts)
        return Stream(
            self.files + other.files,
            self.starts + shifted,
            np.concatenate([self.chosen, other.chosen]),
        )

    def in_order(self) -> tf.data.Dataset:
        """Yields image, a scalar string, PNG, and label, scalar float32, in the files' order."""
        return tf.data.Dataset.from_tensor_slices(
            (list(self.files), np.array(self.starts, np.int64))
        ).flat_map(self._file)

    def shuffled(self, seed: int, share: tf.distribute.InputContext) -> tf.data.Dataset:
        """Yields the images of one input pipeline's files without end, in an order by the seed.

        The files are dealt to the pipelines anew for each seed, and each of them reads some by
        turns, through a buffer from which it draws.
        """
        order = np.random.default_rng(seed).permutation(len(self.files))
        own = order[share.input_pipeline_id :: share.num_input_pipelines]
        # Fewer files than pipelines: each of these reads all of them, and keeps its own images.
        alone = len(self.files) >= share.num_input_pipelines
        own = own if alone else order
        files = tf.data.Dataset.from_tensor_slices(
            (np.array(self.files)[own], np.array(self.starts, np.int64)[own])
        )
        images = files.interleave(
            self._file,
            cycle_length=INTERLEAVED,
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        if not alone:
            images = images.shard(share.num_input_pipelines, share.input_pipeline_id)
        return images.shuffle(SHUFFLED, seed=seed).repeat()

    def _file(self, file: tf.Tensor, start: tf.Tensor) -> tf.data.Dataset:
        return (
            records(file)
            .enumerate(start)
            .filter(lambda position, _: tf.gather(self.chosen, position))
            .map(
                lambda _, example: (example[IMAGE_XF], tf.cast(example[LABEL_XF], tf.float32)),
                num_parallel_calls=tf.data.AUTOTUNE,
            )
        )
