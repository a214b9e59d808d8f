"""A network pretrained on ImageNet, fine-tuned on X-rays."""

from functools import partial

import keras

from trainer_module.models import FEATURES
from trainer_module.models.backbones import applications, efficientnet_lite0
from trainer_module.models.layers import BatchNormalization, Dropout
from trainer_module.settings.models import TransferSettings
from transform_module.contract import IMAGE_SIZE


def require_weights(settings: TransferSettings) -> None:
    """Has the weights at hand, downloading those that Keras downloads.

    Raises:
        WeightsError: they cannot be had.
    """
    if settings.backbone == "efficientnet_lite0":
        efficientnet_lite0.read_weights(settings.weights)
    else:
        applications.original(settings.backbone, IMAGE_SIZE, settings.weights)


def build(settings: TransferSettings, *, synchronized: bool) -> keras.Model:
    """Builds the backbone with its weights, global average pooling, sigmoid.

    Args:
        settings: backbone, weights, dropout.
        synchronized: see `trainer_module.models.build`.

    Returns:
        See `trainer_module.models.build`.

    Raises:
        WeightsError: the weights cannot be had.
    """
    normalization = partial(
        BatchNormalization, momentum=settings.normalization_momentum, synchronized=synchronized
    )
    inputs = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 1), name="pixels")
    if settings.backbone == "efficientnet_lite0":
        x = efficientnet_lite0.features(inputs, normalization, settings.weights)
    else:
        x = applications.features(settings.backbone, inputs, normalization, settings.weights)
    x = keras.layers.Identity(name=FEATURES)(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = Dropout(settings.dropout)(x)
    outputs = keras.layers.Dense(1, activation="sigmoid", dtype="float32", name="probability")(x)
    return keras.Model(inputs, outputs, name="transfer")
