"""Settings of the DICOM files among the images."""

from typing import Literal

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from serving.images.dicom.facts import BODY_PARTS, CHEST, FRONTAL, MODALITIES, OTHER, VIEWS
from transform_module.did_you_mean import did_you_mean
from transform_module.strict import STRICT

_KNOWN = {
    "modalities": (*sorted(MODALITIES), OTHER),
    "body_parts": (*sorted(BODY_PARTS), OTHER),
    "views": (*VIEWS, OTHER),
}


class DicomSettings(BaseModel):
    """Which DICOM files are taken, and how their patients are named."""

    model_config = STRICT

    modalities: tuple[str, ...] = Field(
        default=("CR", "DX", "RG", "SC", "OT"),
        description=(
            "Modalities that are taken: radiographs, and secondary captures (SC, OT) by default. "
            "`other` is one that DICOM does not list."
        ),
    )
    body_parts: tuple[str, ...] = Field(
        default=(CHEST,),
        description="Body parts that are taken; CHEST is the thorax and the lungs too.",
    )
    views: tuple[str, ...] = Field(
        default=("PA", "AP", FRONTAL),
        description="Views that are taken, of PA, AP, FRONTAL (PA or AP), LATERAL and other.",
    )
    unknown: Literal["take", "quarantine"] = Field(
        default="take",
        description="What becomes of files that do not say their modality, body part or view.",
    )
    patient_key: str | None = Field(
        default=None,
        description=(
            "Where the secret is that patients' ids are hashed with: `env:NAME`, an environment "
            "variable, or the path of a file; never the secret itself. Without one, a patient is "
            "named by the content of the images."
        ),
    )

    @field_validator("modalities", "body_parts", "views")
    @classmethod
    def _are_known(cls, values: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        known = _KNOWN[str(info.field_name)]
        for value in values:
            if value not in known:
                near = did_you_mean(value, known)
                raise ValueError(f"{value!r} is not known.{near} Allowed: {', '.join(known)}")
        return values
