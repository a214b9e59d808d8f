"""Settings of the pixels that the model sees: frozen, typed, validated."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class TransformSettings(BaseModel):
    """How a decoded image becomes one of the model's size."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    resize: Literal["squash", "pad"] = Field(
        "squash",
        description="squash: both sides become the model's; pad: the longer side does, the aspect"
        " ratio stays, and the rest is black.",
    )
    contrast: Literal["none", "percentile", "equalize"] = Field(
        "none",
        description="percentile: stretch each image's grey levels from its 1st to its 99th"
        " percentile; equalize: make each image's levels equally frequent.",
    )
