"""Settings of a training: frozen, typed, validated on construction."""

from typing import TYPE_CHECKING, Any, Final, Literal, Self, cast

from pydantic import (
    BaseModel,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    create_model,
    model_validator,
)

from trainer_module import models
from trainer_module.settings.augmentation import AugmentationSettings
from transform_module.strict import STRICT

WORST_SHIFT: Final = "worst_shift"
"""The value of `select_by` that takes shifted images, too."""


class OperatingPointSettings(BaseModel):
    """How the operating threshold is chosen, on what calibrates, after it."""

    model_config = STRICT

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
        description="Decision threshold; used only when target is `fixed`.",
    )


class DomainSettings(BaseModel):
    """What counts as an image like those of the training."""

    model_config = STRICT

    false_alarms: float = Field(
        0.05,
        gt=0,
        lt=1,
        description="Share of the split `eval` that may be called unlike the training images;"
        " a larger one finds more of what is not a child's frontal chest X-ray.",
    )


class TriageSettings(BaseModel):
    """Which errors the triage may make; what it cannot decide so is for review.

    The defaults: PNEUMONIA that nobody looks at any more is to be rarer than what the operating
    point misses, 5 %; a false alarm costs a look. With them 49 patients with PNEUMONIA and 19
    without are enough.
    """

    model_config = STRICT

    missed_pneumonia: float = Field(
        0.02,
        gt=0,
        lt=1,
        description="Largest share of patients' PNEUMONIA that triage may call NORMAL. It takes"
        " 1 / this - 1 held-out patients with PNEUMONIA; with fewer, triage never says NORMAL.",
    )
    false_alarms: float = Field(
        0.05,
        gt=0,
        lt=1,
        description="Largest share of patients' NORMAL that triage may call PNEUMONIA. It takes"
        " 1 / this - 1 held-out patients with NORMAL; with fewer, triage never says PNEUMONIA.",
    )


def _sections() -> dict[str, Any]:
    """Returns a field for each model, of its own settings."""
    classes = {name: models.module(name).Settings for name in models.NAMES}
    return {
        name: (each, Field(default_factory=each, description=f"The layers of `{name}`."))
        for name, each in classes.items()
    }


if TYPE_CHECKING:

    class _Models(BaseModel):
        model: str = "cnn"
else:
    _Models = create_model(
        "_Models",
        model=(
            Literal[models.NAMES],
            Field("cnn", description="The model's name: a file in models/."),
        ),
        **_sections(),
    )


class TrainerSettings(_Models):
    """Everything that `run_fn` gets beside the data."""

    model_config = STRICT

    augmentation: AugmentationSettings = Field(
        default_factory=AugmentationSettings, description="Random changes of training images."
    )
    folds: PositiveInt = Field(
        1,
        le=20,
        description="1 trains one model on `train`, watched on `eval`. More train an ensemble: the"
        " images of both are dealt by patient to this many folds, each member trains on all"
        " but one, and their average is served.",
    )
    epochs: PositiveInt = Field(25, description="Epochs at most, of each member.")
    patience: PositiveInt = Field(
        5, description="Stop after this many epochs in a row that did not better `monitor`."
    )
    monitor: Literal["val_auc", "val_loss", "val_accuracy"] = Field(
        "val_auc", description="The figure that decides which epoch's weights are kept."
    )
    select_by: Literal["eval", "worst_shift"] = Field(
        "eval",
        description="Which held-out images choose epoch, trial, calibration, threshold and triage."
        " eval: as they are; worst_shift: also as other places would have taken them; epoch and"
        " trial by the lowest AUC between NORMAL as one place and PNEUMONIA as another takes it.",
    )
    batch_size: PositiveInt = Field(
        32, description="Images a step on one replica; a step takes this times the replicas."
    )
    learning_rate: PositiveFloat = Field(3e-4, description="Adam's learning rate.")
    warmup_epochs: NonNegativeFloat = Field(
        1.0, description="Epochs over which the learning rate rises to its value, step by step."
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
    jit_compile: Literal["auto"] | bool = Field(
        "auto",
        description="Whether XLA compiles the train step. auto: on one GPU; a TPU's is compiled in"
        " any case. On a CPU it is slower; on several replicas it is not supported.",
    )
    balance: Literal["class_weights", "sampling", "none"] = Field(
        "class_weights",
        description="What a rare class is made up for by: class_weights weighs its loss by the"
        " inverse of its share; sampling draws it as often as the other; none.",
    )
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="Train towards this / 2 and 1 - this / 2 instead of 0 and 1."
    )
    focal_gamma: NonNegativeFloat = Field(
        0.0, description="The focal loss's exponent: above 0, images predicted well weigh less."
    )
    weight_decay: NonNegativeFloat = Field(
        0.0,
        description="AdamW's: each step takes this times the learning rate off every kernel.",
    )
    clip_norm: NonNegativeFloat = Field(
        0.0, description="The most that the gradients' global norm may be; 0 leaves them."
    )
    ema_momentum: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of the old value in a moving average of the weights, which is then what"
        " is evaluated, kept and exported; 0 keeps the weights themselves.",
    )
    calibration: Literal["platt", "temperature", "none"] = Field(
        "platt",
        description="What makes the served probability right on images that were not trained on,"
        " the split `eval` or each member's fold: slope and shift of its logit, the slope alone, or"
        " nothing.",
    )
    operating_point: OperatingPointSettings = Field(
        default_factory=OperatingPointSettings,
        description="Decision threshold: how it is chosen.",
    )
    domain: DomainSettings = Field(
        default_factory=DomainSettings,
        description="What counts as an image like those of the training.",
    )
    triage: TriageSettings = Field(
        default_factory=TriageSettings,
        description="NORMAL, REVIEW or PNEUMONIA: which errors are allowed.",
    )
    strategy: Literal["auto", "cpu", "gpu", "multi_gpu", "multi_worker", "tpu"] = Field(
        "auto",
        description="Where to train. auto: TPU, else the workers of TF_CONFIG, else every GPU,"
        " else the CPU.",
    )

    @model_validator(mode="after")
    def _compare_pairs_by_auc(self) -> Self:
        if self.select_by == WORST_SHIFT and self.monitor != "val_auc":
            raise ValueError(
                f"select_by: {WORST_SHIFT} compares epochs by the AUC, so monitor must be val_auc."
                f" Received: monitor={self.monitor!r}"
            )
        return self

    @property
    def criterion(self) -> str:
        """The figure of an epoch that decides which one is kept."""
        return f"worst_{self.monitor}" if self.select_by == WORST_SHIFT else self.monitor

    @property
    def of_model(self) -> BaseModel:
        """The settings of the chosen model, of the class ``Settings`` in its module."""
        return cast(BaseModel, getattr(self, self.model))

    @property
    def frozen_epochs(self) -> int:
        """Epochs at first in which only what follows the last feature map learns."""
        return getattr(self.of_model, "frozen_epochs", 0)
