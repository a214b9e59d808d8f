"""Random changes of training images, in tf.data.

What is done to an image is drawn from a seed of its own: the same epoch of the same training sees
the same images, whatever the batch size, the number of replicas, and whether the training was
interrupted. The changes are made to a whole batch at once, in the order in which an image comes to
be: the child lies somehow (geometry), the exposure differs (intensity), the image is blurred and
compressed (degradation), and something covers a part of it (occlusion). It runs beside the model,
not in it: the train step stays free of image ops that do not compile under XLA.
"""

from typing import Final

import tensorflow as tf

from trainer_module.input.augmentation import degradation, geometry, intensity, occlusion
from trainer_module.settings.augmentation import AugmentationSettings

# The position is the number's place in a seed's sequence: a new one goes to the end, so that those
# before it stay what they are.
_NUMBERS: Final = (
    "zoom_x",
    "zoom_y",
    "shear",
    "flip",
    "rotation",
    "shift_x",
    "shift_y",
    "contrast",
    "brightness",
    "gamma",
    "noise",
    "noise_place",
    "blur_chosen",
    "blur",
    "jpeg_chosen",
    "jpeg_quality",
    "cutout",
    "cutout_x",
    "cutout_y",
    "crop_area",
    "crop_aspect",
    "crop_x",
    "crop_y",
    "margin_left",
    "margin_right",
    "margin_top",
    "margin_bottom",
)


def draw(seed: tf.Tensor) -> tf.Tensor:
    """Draws the numbers that decide all changes of one image.

    Args:
        seed: [2] int64.

    Returns:
        [27] float32 in [-1, 1).
    """
    return tf.random.stateless_uniform(
        [len(_NUMBERS)], tf.cast(seed, tf.int32), minval=-1.0, maxval=1.0
    )


def augment(pixels: tf.Tensor, drawn: tf.Tensor, settings: AugmentationSettings) -> tf.Tensor:
    """Changes each image by its own numbers.

    Args:
        pixels: [N, size, size, 1] float32 in [0, 1].
        drawn: [N, 27] float32, see `draw`.
        settings: how far.

    Returns:
        As ``pixels``.
    """
    numbers = dict(zip(_NUMBERS, tf.unstack(drawn, axis=1), strict=True))
    size = pixels.shape[1]
    changed = geometry.warp(pixels, geometry.affine(numbers, size, settings))
    changed = geometry.blacken_margins(changed, numbers, settings)
    changed = intensity.expose(changed, numbers, settings)
    changed = degradation.blur(changed, numbers, settings)
    changed = intensity.add_noise(changed, numbers, settings)
    changed = degradation.compress(changed, numbers, settings)
    return occlusion.cut_out(changed, numbers, settings)
