"""What the settings of several models share."""

from typing import Annotated, Final

from pydantic import Field

NormalizationMomentum = Annotated[
    float,
    Field(
        ge=0,
        lt=1,
        description="Share of the old value in batch normalization's moving statistics.",
    ),
]

NORMALIZED: Final = 4
"""Parameters of batch normalization for each channel: scale, shift, mean and variance."""
