"""Settings of the pixels that the model sees: frozen, typed, validated."""

from typing import Literal

from pydantic import BaseModel, Field, model_validator

from transform_module.contract import IMAGE_SIZE
from transform_module.strict import STRICT


class TransformSettings(BaseModel):
    """How a decoded image becomes one of the model's size."""

    model_config = STRICT

    size: int = Field(
        IMAGE_SIZE,
        ge=64,
        le=512,
        multiple_of=32,
        description="Side of the images that the model sees, in pixels: a multiple of 32.",
    )
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
    function: str | None = Field(
        None,
        pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$",
        description="Own function in place of `resize` and `contrast`, by its importable path, such"
        " as my_package.my_module.my_function; see trainer_module/README.md. null: these two.",
    )

    @model_validator(mode="after")
    def _function_takes_the_place_of_the_others(self) -> "TransformSettings":
        if self.function and (self.resize, self.contrast) != ("squash", "none"):
            raise ValueError(
                "transform.function takes the place of transform.resize and transform.contrast;"
                " remove these two"
            )
        return self
