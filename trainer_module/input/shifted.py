"""The evaluation split as other places would have taken its images."""

from typing import Final

import numpy as np
import tensorflow as tf

from trainer_module.input.batches import Images
from trainer_module.settings.trainer import WORST_SHIFT, TrainerSettings
from transform_module.images.image_ops import standardize
from transform_module.images.shifts import SHIFTS, shift
from transform_module.settings import TransformSettings

MOST: Final = 600
"""Images that are shifted: each of them is predicted once more for each shift and epoch."""


def views(images: Images, settings: TrainerSettings, transform: TransformSettings) -> list[Images]:
    """Returns what a model is chosen by: a split, and its shifted copies if these count.

    Args:
        images: the split.
        settings: of the training; `select_by` decides.
        transform: what the pixels were made with.

    Returns:
        The split first.
    """
    return [images, *(shifted(images, transform) if settings.select_by == WORST_SHIFT else ())]


def shifted(images: Images, transform: TransformSettings) -> list[Images]:
    """Shifts a split, or a sample of it, in every way.

    The pixels are those after Transform, so that images are shifted in the size that the model
    sees. Their grey levels, which Transform spread before, are spread once more.

    Args:
        images: the split.
        transform: what the pixels were made with.

    Returns:
        For each of SHIFTS the same images, shifted, held in memory.
    """
    chosen = np.zeros(images.count, bool)
    chosen[np.linspace(0, images.count - 1, min(MOST, images.count)).astype(int)] = True
    sample = images.where(chosen)
    intact = [pixels.numpy()[..., 0] for pixels in sample.pixels]
    # All else that Transform does to an image would be done to it twice.
    again = TransformSettings(size=images.size, contrast=transform.contrast)
    spread = tf.function(lambda pixels: standardize(pixels, again), autograph=False)

    def of(kind: str) -> Images:
        pixels = [
            spread(shift(each, kind, label, seed=index)[..., np.newaxis]).numpy()
            for index, (each, label) in enumerate(zip(intact, sample.labels.tolist(), strict=True))
        ]
        labels = sample.labels.astype(np.float32)
        dataset = tf.data.Dataset.from_tensor_slices((np.stack(pixels), labels))
        return Images(dataset, sample.labels, sample.patients, 0, images.size)

    return [of(kind) for kind in SHIFTS]
