"""What the report shows, and what it spends on it."""

from typing import Literal

import pydantic


class ReportSettings(pydantic.BaseModel):
    """The page and the card that a run ends with."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    pictures: Literal["none", "thumbnails"] = pydantic.Field(
        "none",
        description="Whether the worst errors are shown, 160 pixels wide, with heat maps where the"
        " model explains itself. The page then holds pictures of patients.",
    )
    filenames: bool = pydantic.Field(
        False,
        description="Whether names of files stand on the page; they may name patients.",
    )
    corruptions: int = pydantic.Field(
        60,
        ge=0,
        description="Pictures that are spoilt in every way and strength, half of each class; 0"
        " spoils none.",
    )
    dataset: Literal["kermany-2018"] | None = pydantic.Field(
        None,
        description="The pictures' source, of which the card tells licence and citation; null does"
        " not tell. Synthetic ones tell it by themselves.",
    )
