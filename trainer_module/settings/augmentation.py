"""Settings of augmentation: frozen, typed, validated on construction."""

from pydantic import BaseModel, Field

from transform_module.strict import STRICT


class AugmentationSettings(BaseModel):
    """How far a training image may be changed at random; 0 switches a change off."""

    model_config = STRICT

    zoom: float = Field(
        0.1, ge=0, lt=1, description="Zoom in or out by up to this fraction, in both directions."
    )
    shear: float = Field(
        0.1, ge=0, lt=1, description="Shear by up to this tangent (0.1 is 5.7 degrees)."
    )
    flip: bool = Field(True, description="Mirror left and right, every second image.")
    rotation: float = Field(0.0, ge=0, le=180, description="Turn by up to this many degrees.")
    shift: float = Field(
        0.0, ge=0, lt=1, description="Move by up to this fraction of the side, in both directions."
    )
    crop: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Crop away up to this fraction of the area, anywhere; what is left fills the"
        " image.",
    )
    crop_aspect: float = Field(
        1 / 3,
        ge=0,
        le=4,
        description="Width by height of what `crop` leaves: between 1 / (1 + this) and 1 + this.",
    )
    margin: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Surround what is shown with black of up to this fraction at each side, as a"
        " collimator leaves; half of the sides get none.",
    )
    contrast: float = Field(
        0.0, ge=0, lt=1, description="Raise or lower contrast by up to this fraction."
    )
    brightness: float = Field(
        0.0, ge=0, lt=1, description="Add or take up to this much; an image has 0 to 1."
    )
    gamma: float = Field(
        0.0,
        ge=0,
        le=4,
        description="Raise pixels to a power between 1 / (1 + this) and 1 + this.",
    )
    noise: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Add Gaussian noise of up to this standard deviation; an image has 0 to 1.",
    )
    blur: float = Field(
        0.0,
        ge=0,
        le=10,
        description="Blur a `share` of the images with a Gaussian of up to this standard"
        " deviation, in pixels.",
    )
    jpeg_quality: int = Field(
        0,
        ge=0,
        le=95,
        description="Compress a `share` of the images as JPEG of this quality or better.",
    )
    share: float = Field(
        0.25, ge=0, le=1, description="Share of the images that are blurred, or compressed."
    )
    cutout: float = Field(
        0.0, ge=0, lt=1, description="Cover a square of up to this fraction of the side."
    )
    mixup: float = Field(
        0.0,
        ge=0,
        le=10,
        description="Mix each image and its label with another's; the shares are of the"
        " distribution Beta(this, this).",
    )
