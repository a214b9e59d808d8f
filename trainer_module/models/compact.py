"""A small residual network with global pooling, for training from scratch on few images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field, PositiveInt

from trainer_module.models import FEATURES
from trainer_module.settings.common import NORMALIZED, NormalizationMomentum
from transform_module.strict import STRICT

if TYPE_CHECKING:
    import keras


class Settings(BaseModel):
    """The layers of the model `compact`."""

    model_config = STRICT

    filters: tuple[PositiveInt, ...] = Field(
        (16, 32, 64, 128),
        min_length=1,
        max_length=6,
        description="Filters of the stem, and of each stage at half the side.",
    )
    blocks: PositiveInt = Field(1, description="Residual blocks in each stage.")
    dropout: float = Field(0.2, ge=0, lt=1, description="Dropout after the pooling.")
    normalization_momentum: NormalizationMomentum = 0.9


def build(settings: Settings, *, size: int, synchronized: bool) -> keras.Model:
    """Builds stem, stages of residual blocks, global average pooling, sigmoid.

    The stem sees patches of 7x7 pixels every 4, so that most of the work is done on 40x40 and
    fewer positions. Each further stage halves the side. A block adds what it computes to its input
    (He et al., "Identity Mappings in Deep Residual Networks", 2016).

    Args:
        settings: widths, blocks, dropout.
        size: see `trainer_module.models`.
        synchronized: see `trainer_module.models`.

    Returns:
        See `trainer_module.models`.
    """
    import keras

    from trainer_module.networks.layers import BatchNormalization, Dropout

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

    inputs = keras.Input((size, size, 1), name="pixels")
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


def parameters(settings: Settings, size: int) -> int:
    """Counts the parameters; they are the same for each size."""

    def convolved(side: int, inputs: int, filters: int) -> int:
        return side**2 * inputs * filters + NORMALIZED * filters

    channels, *others = settings.filters
    total = convolved(7, 1, channels)
    for filters in others:
        total += convolved(3, channels, filters)
        total += settings.blocks * convolved(3, filters, filters)
        channels = filters
    return total + channels + 1
