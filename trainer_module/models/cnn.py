"""The baseline: two convolution blocks and three dense layers."""

import keras

from trainer_module.models import FEATURES
from trainer_module.models.layers import BatchNormalization, Dropout
from trainer_module.settings.models import CnnSettings
from transform_module.contract import IMAGE_SIZE


def build(settings: CnnSettings, *, synchronized: bool) -> keras.Model:
    """Builds [Conv2D, BatchNorm, Dropout, MaxPool] x 2, Flatten, Dense x 3, sigmoid.

    A dense layer is followed by BatchNorm, then Dropout: the other order trains batch
    normalization on dropped-out activations, whose variance inference never sees, and validation
    stays at chance for several epochs.

    Args:
        settings: widths, kernel, dropouts.
        synchronized: see `trainer_module.models.build`.

    Returns:
        See `trainer_module.models.build`.
    """

    def normalization() -> keras.layers.Layer:
        return BatchNormalization(
            momentum=settings.normalization_momentum, synchronized=synchronized
        )

    layers: list[keras.layers.Layer] = [keras.Input((IMAGE_SIZE, IMAGE_SIZE, 1), name="pixels")]
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
