"""What can be chosen about a training: frozen, typed, validated on construction."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt

_STRICT = ConfigDict(frozen=True, extra="forbid")

NormalizationMomentum = Annotated[
    float,
    Field(
        ge=0,
        lt=1,
        description="Share of the old value in batch normalization's moving statistics.",
    ),
]


class AugmentationSettings(BaseModel):
    """How far a training picture may be changed at random; 0 switches a change off."""

    model_config = _STRICT

    zoom: float = Field(
        0.1, ge=0, lt=1, description="Zoom in or out by up to this fraction, in both directions."
    )
    shear: float = Field(
        0.1, ge=0, lt=1, description="Shear by up to this tangent (0.1 is 5.7 degrees)."
    )
    flip: bool = Field(True, description="Mirror left and right, every second picture.")


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


class OperatingPointSettings(BaseModel):
    """How the operating threshold is chosen, on the split `eval`, after calibration."""

    model_config = _STRICT

    target: Literal["sensitivity", "youden", "cost", "fixed"] = Field(
        "sensitivity",
        description="sensitivity: the highest threshold that reaches it; youden: the greatest sum"
        " of sensitivity and specificity; cost: the cheapest errors; fixed: `threshold`.",
    )
    sensitivity: float = Field(
        0.95, gt=0, le=1, description="Share of PNEUMONIA to find, for the target sensitivity."
    )
    cost_of_missing: PositiveFloat = Field(
        5.0,
        description="What a missed PNEUMONIA costs, in false alarms, for the target cost.",
    )
    threshold: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="PNEUMONIA is told from this probability on, for the target fixed.",
    )


class DomainSettings(BaseModel):
    """What counts as a picture like those of the training."""

    model_config = _STRICT

    false_alarms: float = Field(
        0.05,
        gt=0,
        lt=1,
        description="Share of the split `eval` that may be called unlike the training pictures;"
        " a larger one finds more of what is no child's frontal chest X-ray.",
    )


class TrainerSettings(BaseModel):
    """Everything that `run_fn` is told beside the data."""

    model_config = _STRICT

    model: Literal["cnn", "compact"] = Field(
        "cnn", description="The model's name: a file in models/."
    )
    cnn: CnnSettings = Field(default_factory=CnnSettings, description="The layers of `cnn`.")
    compact: CompactSettings = Field(
        default_factory=CompactSettings, description="The layers of `compact`."
    )
    augmentation: AugmentationSettings = Field(
        default_factory=AugmentationSettings, description="Random changes of training pictures."
    )
    epochs: PositiveInt = Field(25, description="Epochs at most.")
    patience: PositiveInt = Field(
        5, description="Stop after this many epochs in a row that did not better `monitor`."
    )
    monitor: Literal["val_auc", "val_loss", "val_accuracy"] = Field(
        "val_auc", description="The figure that decides which epoch's weights are kept."
    )
    batch_size: PositiveInt = Field(
        32, description="Pictures a step on one replica; a step takes this times the replicas."
    )
    learning_rate: PositiveFloat = Field(3e-4, description="Adam's learning rate.")
    warmup_epochs: NonNegativeFloat = Field(
        1.0, description="Epochs over which the learning rate rises from 0 to its value."
    )
    decay: Literal["none", "cosine"] = Field(
        "none",
        description="What the learning rate does after its rise: stays, or falls along half a"
        " cosine to 0 at the last of `epochs`.",
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32",
        description="What the training computes in. bfloat16 is faster where the CPU"
        " (avx512_bf16, amx_bf16), the GPU or the TPU has it; the served model is float32.",
    )
    class_weights: bool = Field(
        True, description="Weigh each class's loss by the inverse of its share."
    )
    calibration: Literal["platt", "temperature", "none"] = Field(
        "platt",
        description="What makes the served probability right on the split `eval`: slope and shift"
        " of its logit, the slope alone, or nothing.",
    )
    operating_point: OperatingPointSettings = Field(
        default_factory=OperatingPointSettings,
        description="The probability from which PNEUMONIA is told.",
    )
    domain: DomainSettings = Field(
        default_factory=DomainSettings,
        description="What counts as a picture like those of the training.",
    )
    strategy: Literal["auto", "cpu", "gpu", "multi_gpu", "multi_worker", "tpu"] = Field(
        "auto",
        description="Where to train. auto: TPU, else the workers of TF_CONFIG, else every GPU,"
        " else the CPU.",
    )
