"""Settings of the conversion of image folders to a dataset."""

import re
from typing import Any, Literal

from pydantic import BaseModel, Field, field_validator

from serving.images.dicom.settings import DicomSettings
from serving.images.hold_out import Group
from serving.images.labels.class_names import KEYS, normalized
from transform_module.strict import STRICT

Layout = Literal["nih", "chexpert", "mimic", "rsna", "vindr", "padchest", "kermany"]


def _texts(name: Any) -> tuple[str, ...]:
    """Returns the names that YAML read as something else, such as 0 and no."""
    if isinstance(name, bool):
        return ("true", "yes") if name else ("false", "no")
    return () if name is None else (str(name),)


class DatasetSettings(BaseModel):
    """How image folders become a dataset; every value has a default that fits most folders."""

    model_config = STRICT

    classes: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description=(
            "What the folders of a class, or the labels in a table, are called, beside NORMAL and "
            "PNEUMONIA, such as {NORMAL: [0, clear], PNEUMONIA: [1, covid], LEFT_OUT: [nodule]}; "
            "what is under LEFT_OUT is skipped."
        ),
    )
    labels: str | None = Field(
        default=None,
        description=(
            "Table of labels (CSV, TSV or Parquet) with the columns `path` and `label`, and maybe "
            "`patient`, `split`, `view` and `subtype`; it goes before folders."
        ),
    )
    layout: Layout | None = Field(
        default=None,
        description=(
            "Public dataset whose own tables have the labels; they are in the image folder, or "
            "where `labels` says. kermany has folders, as without this."
        ),
    )
    uncertain: Literal["drop", "positive", "negative"] = Field(
        default="drop",
        description="What becomes of images whose label in a table is uncertain (-1).",
    )
    lateral: Literal["drop", "keep"] = Field(
        default="drop", description="What becomes of images that a table says are lateral views."
    )
    patient_pattern: str | None = Field(
        default=None,
        description=(
            "Regular expression searched in an image's path below its class folder; the group "
            "named `patient`, or else the first group, is the patient's id. Images that it does "
            "not match go by the known name patterns."
        ),
    )
    patients: str | None = Field(
        default=None,
        description=(
            "Table (CSV, TSV or Parquet) with the columns `path`, relative to the image folder, "
            "and `patient`; it goes before any pattern."
        ),
    )
    unlisted_patients: Literal["refuse", "alone"] = Field(
        default="refuse",
        description=(
            "What becomes of images that neither the table of patients nor the pattern names: "
            "`refuse` stops the conversion; `alone` takes each by its name, where that identifies "
            "the patient, or else as a patient of its own."
        ),
    )
    max_bad: float = Field(
        default=0.10,
        ge=0.0,
        le=1.0,
        description="Largest share of quarantined files, 0 to 1; above it the conversion stops.",
    )
    hold_out: Group | None = Field(
        default=None,
        description=(
            "A group of patients that becomes the test set on purpose, so that a model is "
            "evaluated on images unlike its training data: a subtype, or the outer fifth of "
            "each class by a quantity. The folder `test` then takes no part at all, so that nobody "
            "tunes on it."
        ),
    )
    dicom: DicomSettings = Field(
        default_factory=DicomSettings,
        description="Which DICOM files are taken, and how their patients are named.",
    )
    shards: int = Field(
        default=4,
        ge=1,
        le=1000,
        description=(
            "Least number of TFRecord files in each split; there are more where they would be "
            "larger than about 200 MB."
        ),
    )

    @field_validator("classes", mode="before")
    @classmethod
    def _are_names(cls, classes: Any) -> Any:
        if not isinstance(classes, dict):
            return classes
        named: dict[str, tuple[str, ...]] = {}
        under: dict[str, str] = {}
        for written, names in classes.items():
            key = str(written).strip().upper()
            if key not in KEYS:
                raise ValueError(f"the keys are {', '.join(KEYS)}. Received: {written!r}")
            listed = names if isinstance(names, list | tuple) else [names]
            named[key] = tuple(text for name in listed for text in _texts(name))
            for name in named[key]:
                if under.setdefault(normalized(name), key) != key:
                    raise ValueError(f"{name!r} is under {under[normalized(name)]} and under {key}")
        return named

    @field_validator("patient_pattern")
    @classmethod
    def _has_a_group(cls, pattern: str | None) -> str | None:
        if pattern is None:
            return None
        try:
            groups = re.compile(pattern).groups
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}. Received: {pattern!r}") from error
        if not groups:
            raise ValueError(
                "needs a group that holds the patient's id, such as `(?P<patient>p[0-9]+)_`. "
                f"Received: {pattern!r}"
            )
        return pattern
