"""What the tests of augmentation change: a smooth image, with settings that change nothing."""

import numpy as np
import tensorflow as tf

from tests.images import grey_pixels
from trainer_module.input import augmentation
from trainer_module.settings.augmentation import AugmentationSettings

SIZE = 160
STILL = AugmentationSettings(zoom=0, shear=0, flip=False)
IMAGE = grey_pixels(SIZE, SIZE)[np.newaxis, ..., np.newaxis].astype(np.float32) / 255


def still_but(**changes):
    return AugmentationSettings.model_validate({**STILL.model_dump(), **changes})


def drawn(count, start=0):
    """The numbers of as many images."""
    return tf.stack(
        [augmentation.draw(tf.constant([7, start + index], tf.int64)) for index in range(count)]
    )


def augmented(count, **changes):
    """The image as often, each time by other numbers."""
    pixels = np.repeat(IMAGE, count, axis=0)
    return augmentation.augment(pixels, drawn(count), still_but(**changes)).numpy()
