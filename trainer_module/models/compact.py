"""A small residual network with global pooling, for training from scratch on few images."""

import keras

from trainer_module.models import FEATURES
from trainer_module.models.layers import BatchNormalization, Dropout
from trainer_module.settings.models import CompactSettings
from transform_module.contract import IMAGE_SIZE


def build(settings: CompactSettings, *, synchronized: bool) -> keras.Model:
    """Builds stem, stages of residual blocks, global average pooling, sigmoid.

    The stem sees patches of 7x7 pixels every 4, so that most of the work is done on 40x40 and
    fewer positions. Each further stage halves the side. A block adds what it computes to its input
    (He et al., "Identity Mappings in Deep Residual Networks", 2016).

    Args:
        settings: widths, blocks, dropout.
        synchronized: see `trainer_module.models.build`.

    Returns:
        See `trainer_module.models.build`.
    """

    def convolve(
        pixels: keras.KerasTensor, filters: int, size: int, strides: int = 1
    ) -> keras.KerasTensor:
        return keras.layers.Conv2D(
            filters,
            size,
            strides,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
        )(pixels)

    def activate(pixels: keras.KerasTensor) -> keras.KerasTensor:
        normalized = BatchNormalization(
            momentum=settings.normalization_momentum, synchronized=synchronized
        )(pixels)
        return keras.layers.ReLU()(normalized)

    inputs = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 1), name="pixels")
    first, *others = settings.filters
    x = activate(convolve(inputs - 0.5, first, 7, 4))
    for filters in others:
        x = activate(convolve(x, filters, 3, 2))
        for _ in range(settings.blocks):
            x = keras.layers.Add()([x, activate(convolve(x, filters, 3))])
    x = keras.layers.Identity(name=FEATURES)(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = Dropout(settings.dropout)(x)
    outputs = keras.layers.Dense(1, activation="sigmoid", dtype="float32", name="probability")(x)
    return keras.Model(inputs, outputs, name="compact")
