"""The layers of each model: frozen, typed, validated on construction."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

_STRICT = ConfigDict(frozen=True, extra="forbid")

NormalizationMomentum = Annotated[
    float,
    Field(
        ge=0,
        lt=1,
        description="Share of the old value in batch normalization's moving statistics.",
    ),
]


class CnnSettings(BaseModel):
    """The layers of the model `cnn`."""

    model_config = _STRICT

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


class CompactSettings(BaseModel):
    """The layers of the model `compact`."""

    model_config = _STRICT

    filters: tuple[PositiveInt, ...] = Field(
        (16, 32, 64, 128),
        min_length=1,
        max_length=6,
        description="Filters of the stem, and of each stage at half the side.",
    )
    blocks: PositiveInt = Field(1, description="Residual blocks in each stage.")
    dropout: float = Field(0.2, ge=0, lt=1, description="Dropout after the pooling.")
    normalization_momentum: NormalizationMomentum = 0.9


class TransferSettings(BaseModel):
    """The layers of the model `transfer`, and how they are trained."""

    model_config = _STRICT

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
