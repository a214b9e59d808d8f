"""Bounds that a model must reach to be blessed."""

import pydantic

from transform_module.strict import STRICT


class EvaluationSettings(pydantic.BaseModel):
    """The bounds that bless a model on the split ``test``, at its own operating threshold.

    A bound is on the whole split (the slice Overall). A drop is how much lower than the model that
    is pushed now the new one may be, on the same images.
    """

    model_config = STRICT

    minimum_auc: float = pydantic.Field(
        0.85, ge=0, le=1, description="Floor of the area under the ROC curve."
    )
    minimum_sensitivity: float = pydantic.Field(
        0.8,
        ge=0,
        le=1,
        description="Floor of the share of PNEUMONIA that is found at the operating threshold.",
    )
    maximum_auc_drop: float = pydantic.Field(
        0.01, ge=0, le=1, description="Largest fall of the AUC below the pushed model's."
    )
    maximum_sensitivity_drop: float = pydantic.Field(
        0.05, ge=0, le=1, description="Largest fall of the sensitivity below the pushed model's."
    )
    maximum_invalid_share: float = pydantic.Field(
        0.01,
        ge=0,
        le=1,
        description="Largest share of the images that the model may call undecodable. "
        "They are left out of every metric.",
    )
