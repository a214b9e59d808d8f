"""A network pretrained on ImageNet, fine-tuned on X-rays."""

from __future__ import annotations

from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from pydantic import BaseModel, Field, NonNegativeInt

from trainer_module.models import FEATURES, WeightsError
from trainer_module.settings.common import NormalizationMomentum
from transform_module.strict import STRICT

if TYPE_CHECKING:
    import keras


class Settings(BaseModel):
    """The layers of the model `transfer`, and how they are trained."""

    model_config = STRICT

    backbone: Literal["efficientnet_lite0", "mobilenet_v2", "efficientnet_b0"] = Field(
        "efficientnet_lite0", description="The network pretrained on ImageNet."
    )
    weights: str = Field(
        "imagenet",
        min_length=1,
        description="imagenet: from an installed package (efficientnet_lite0), or downloaded by"
        " Keras; else the path of a file of weights.",
    )
    dropout: float = Field(0.2, ge=0, lt=1, description="Dropout after the pooling.")
    normalization_momentum: NormalizationMomentum = 0.9
    frozen_epochs: NonNegativeInt = Field(
        1,
        description="Epochs at first in which only the last layer learns; the backbone, with what"
        " its batch normalization knows, stays as it is.",
    )

    @property
    def own_weights(self) -> Path | None:
        """The file of weights that was given."""
        return None if self.weights == "imagenet" else Path(self.weights)


def build(settings: Settings, *, size: int, synchronized: bool) -> keras.Model:
    """Builds the backbone with its weights, global average pooling, sigmoid.

    Args:
        settings: backbone, weights, dropout.
        size: see `trainer_module.models`.
        synchronized: see `trainer_module.models`.

    Returns:
        See `trainer_module.models`.

    Raises:
        WeightsError: the weights cannot be had.
    """
    import keras

    from trainer_module.networks.backbones import applications, efficientnet_lite0
    from trainer_module.networks.layers import BatchNormalization, Dropout

    normalization = partial(
        BatchNormalization, momentum=settings.normalization_momentum, synchronized=synchronized
    )
    inputs = keras.Input((size, size, 1), name="pixels")
    if settings.backbone == "efficientnet_lite0":
        x = efficientnet_lite0.features(inputs, normalization, settings.weights)
    else:
        x = applications.features(settings.backbone, inputs, normalization, settings.weights)
    x = keras.layers.Identity(name=FEATURES)(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = Dropout(settings.dropout)(x)
    outputs = keras.layers.Dense(1, activation="sigmoid", dtype="float32", name="probability")(x)
    return keras.Model(inputs, outputs, name="transfer")


# With the one output: a test compares them with the networks.
_PARAMETERS: Final = {
    "efficientnet_lite0": 3_413_729,
    "mobilenet_v2": 2_259_265,
    "efficientnet_b0": 4_050_852,
}


def parameters(settings: Settings, size: int) -> int:
    """Returns the number of parameters; it is the same for each size."""
    return _PARAMETERS[settings.backbone]


def weights(settings: Settings) -> str:
    """Returns the checksum of the given file, or the package and its version.

    Returns:
        An empty text where Keras downloads the weights, which it does by their checksum.

    Raises:
        WeightsError: there is no such file, or the package is not installed.
    """
    if (path := settings.own_weights) is not None:
        if not path.is_file():
            raise WeightsError(
                f"trainer.transfer.weights: there is no file {path}. Give imagenet, or the path of "
                "a file of weights."
            )
        from transform_module.files import intact

        return intact.sha256(path)
    from trainer_module.networks.backbones import PACKAGES, not_installed

    if (package := PACKAGES.get(settings.backbone)) is None:
        return ""
    try:
        return f"{package}=={metadata.version(package)}"
    except metadata.PackageNotFoundError as error:
        raise not_installed(settings.backbone) from error


def require_weights(settings: Settings) -> None:
    """Has the weights at hand, downloading those that Keras downloads.

    Raises:
        WeightsError: they cannot be had.
    """
    from trainer_module.networks.backbones import PACKAGES, applications, efficientnet_lite0

    if settings.backbone in PACKAGES:
        efficientnet_lite0.read_weights(settings.weights)
    else:
        applications.original(settings.backbone, _LEAST_SIZE, settings.weights)


# Weights are the same for each size.
_LEAST_SIZE: Final = 32
