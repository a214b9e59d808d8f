"""Settings of the report page and the model card."""

from typing import Literal

import pydantic

from transform_module.strict import STRICT


class ReportSettings(pydantic.BaseModel):
    """The page and the card that a run ends with."""

    model_config = STRICT

    pictures: Literal["none", "thumbnails"] = pydantic.Field(
        "none",
        description="Whether thumbnails of the worst errors are shown, 160 pixels wide, with heat"
        " maps where the model has the signature `explain`. The page then holds images of"
        " patients.",
    )
    filenames: bool = pydantic.Field(
        False,
        description="Whether file names are shown; they may identify patients.",
    )
    corruptions: int = pydantic.Field(
        60,
        ge=0,
        description="Number of images that are shifted and corrupted in every way, half of each"
        " class; 0 leaves this part out.",
    )
    dataset: Literal["kermany-2018"] | None = pydantic.Field(
        None,
        description="The public dataset that the images are from; the card then states its"
        " citation and licence. Synthetic images need no setting.",
    )
    data_source: str = pydantic.Field(
        "",
        max_length=2000,
        description="Source of other images, in a sentence of your own, for page and card.",
    )
    licence: str = pydantic.Field(
        "",
        max_length=500,
        description="Licence of the images, for page and card, such as CC BY 4.0.",
    )

    @pydantic.model_validator(mode="after")
    def _states_one_source(self) -> "ReportSettings":
        if self.dataset and (self.data_source or self.licence):
            raise ValueError(
                "dataset states source and licence; remove data_source and licence, or set"
                " dataset=null"
            )
        return self
