"""The run that made the model, which the page and the card report beside the findings."""

from typing import Any, Final, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from serving.images.dataset import Dataset

CONTEXT: Final = "context.json"
"""The file's name."""

_IMAGES: Final = AliasChoices("images", "pictures")
"""Files of earlier releases have the second key."""


class _Record(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )


class Verdict(_Record):
    """Whether the model may be pushed, and whether it was."""

    blessed: bool = Field(description="Whether it may be pushed.")
    reasons: tuple[str, ...] = Field((), description="Why not, a sentence each.")
    notes: tuple[str, ...] = Field((), description="Remarks on the evaluation.")
    pushed: str = Field("", description="The pushed version; empty where it is not pushed.")


class Quarantined(_Record):
    """A file that was excluded from the data."""

    path: str = Field(description="Relative to the image folder.")
    reason: str = Field(description="Why.")
    bytes: int = Field(description="Its size.")


class ShownImage(_Record):
    """An image as it is shown: PNG or JPEG."""

    thumbnail: bytes = Field(description="The image, at most 160 pixels wide.")
    overlay: bytes = Field(b"", description="The same with its heat map; empty without one.")


class Source(_Record):
    """The source of the images."""

    name: str = Field(description="Its usual name, or the owner's sentence; empty if not stated.")
    description: str = Field(description="A sentence or two; may be empty.")
    citation: str = Field("", description="Who made it.")
    licence: str = Field("", description="Its licence; empty if it is not stated.")
    url: str = Field("", description="Its web page.")


class Serving(_Record):
    """The measurements of the check before the push."""

    images: int = Field(validation_alias=_IMAGES, description="Number of images in the requests.")
    latency_ms: float = Field(description="Median latency of one image.")
    memory_gib: float = Field(description="Memory of the server.")
    load_seconds: float = Field(description="Time until the model was ready.")


class Step(_Record):
    """Time and memory of one step of the run."""

    name: str = Field(description="A component's id, or a few words.")
    seconds: float = Field(description="Wall time.")
    peak_gigabytes: float = Field(description="Memory of the whole process tree meanwhile.")
    state: Literal["", "finished", "cached", "failed"] = Field("", description="How it ended.")


class Context(_Record):
    """Everything about the run. What is unknown is empty and left out of the report."""

    run: str = Field("", description="The run's name.")
    verdict: Verdict | None = Field(None, description="Whether the model may be pushed.")
    source: Source | None = Field(None, description="The source of the images.")
    dataset: Dataset | None = Field(None, description="The content of dataset.json.")
    quarantine: tuple[Quarantined, ...] = Field(
        (), description="The files that the conversion quarantined."
    )
    histories: tuple[tuple[dict[str, float], ...], ...] = Field(
        (), description="The metrics of each epoch; of an ensemble, those of each member."
    )
    images: dict[str, ShownImage] = Field(
        {}, validation_alias=_IMAGES, description="Thumbnails, by the path in the findings."
    )
    filenames: bool = Field(False, description="Whether file names are shown.")
    serving: Serving | None = Field(
        None, description="The measurements of the check before the push."
    )
    configuration: dict[str, Any] = Field({}, description="The whole configuration.")
    versions: dict[str, str] = Field({}, description="Of packages.")
    steps: tuple[Step, ...] = Field((), description="Of the run, in their order.")
