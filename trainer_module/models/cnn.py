"""The baseline: two convolution blocks and three dense layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field, PositiveInt

from trainer_module.models import FEATURES
from trainer_module.settings.common import NORMALIZED, NormalizationMomentum
from transform_module.strict import STRICT

if TYPE_CHECKING:
    import keras


class Settings(BaseModel):
    """The layers of the model `cnn`."""

    model_config = STRICT

    filters: tuple[PositiveInt, ...] = Field(
        (32, 64),
        min_length=1,
        max_length=5,
        description="Filters of each block of convolution, batch normalization, dropout, pooling.",
    )
    kernel_size: PositiveInt = Field(3, le=11, description="Side of the convolutions, in pixels.")
    convolution_dropout: float = Field(
        0.1, ge=0, lt=1, description="Dropout in each convolution block."
    )
    dense_units: tuple[PositiveInt, ...] = Field(
        (512, 256, 128), description="Widths of the dense layers after Flatten."
    )
    dense_dropout: float = Field(
        0.3, ge=0, lt=1, description="Dropout after each dense layer's batch normalization."
    )
    normalization_momentum: NormalizationMomentum = 0.9


def build(settings: Settings, *, size: int, synchronized: bool) -> keras.Model:
    """Builds [Conv2D, BatchNorm, Dropout, MaxPool] x 2, Flatten, Dense x 3, sigmoid.

    A dense layer is followed by BatchNorm, then Dropout: the other order trains batch
    normalization on dropped-out activations, whose variance inference never sees, and validation
    stays at chance for several epochs.

    Args:
        settings: widths, kernel, dropouts.
        size: see `trainer_module.models`.
        synchronized: see `trainer_module.models`.

    Returns:
        See `trainer_module.models`.
    """
    import keras

    from trainer_module.networks.layers import BatchNormalization, Dropout

    def normalization() -> keras.layers.Layer:
        return BatchNormalization(
            momentum=settings.normalization_momentum, synchronized=synchronized
        )

    layers: list[keras.layers.Layer] = [keras.Input((size, size, 1), name="pixels")]
    for filters in settings.filters:
        layers += [
            keras.layers.Conv2D(filters, settings.kernel_size, padding="same", activation="relu"),
            normalization(),
            Dropout(settings.convolution_dropout),
            keras.layers.MaxPooling2D(),
        ]
    layers[-1].name = FEATURES
    layers.append(keras.layers.Flatten())
    for units in settings.dense_units:
        layers += [
            keras.layers.Dense(units, activation="relu"),
            normalization(),
            Dropout(settings.dense_dropout),
        ]
    layers.append(keras.layers.Dense(1, activation="sigmoid", dtype="float32", name="probability"))
    return keras.Sequential(layers, name="cnn")


def parameters(settings: Settings, size: int) -> int:
    """Counts the parameters."""
    total, channels, side = 0, 1, size
    for filters in settings.filters:
        total += settings.kernel_size**2 * channels * filters + filters + NORMALIZED * filters
        channels, side = filters, side // 2
    width = side * side * channels
    for units in settings.dense_units:
        total += width * units + units + NORMALIZED * units
        width = units
    return total + width + 1
