"""What the page and the card tell beside the findings: the run that made the model."""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from components.images.dataset import Dataset

CONTEXT: Final = "context.json"
"""The file's name."""


class _Record(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )


class Verdict(_Record):
    """Whether the model may be pushed, and whether it was."""

    blessed: bool = Field(description="Whether it may.")
    reasons: tuple[str, ...] = Field((), description="Why not, a sentence each.")
    notes: tuple[str, ...] = Field((), description="What else to know of the evaluation.")
    pushed: str = Field("", description="The pushed version; empty where it is not pushed.")


class Quarantined(_Record):
    """A file that was kept out of the data."""

    path: str = Field(description="From the folder of pictures.")
    reason: str = Field(description="Why.")
    bytes: int = Field(description="Its size.")


class Picture(_Record):
    """How a picture is shown: PNG or JPEG."""

    thumbnail: bytes = Field(description="The picture, small.")
    overlay: bytes = Field(b"", description="The same under its heat map; empty without one.")


class Source(_Record):
    """Where the pictures come from."""

    name: str = Field(description="As people know it.")
    description: str = Field(description="What it shows; a sentence or two.")
    citation: str = Field("", description="Who made it.")
    licence: str = Field("", description="What may be done with it.")
    url: str = Field("", description="Where it is told of.")


class Serving(_Record):
    """What the check before the push measured."""

    pictures: int = Field(description="That were asked about.")
    latency_ms: float = Field(description="Median answer to one picture.")
    memory_gib: float = Field(description="The server's.")
    load_seconds: float = Field(description="Until the model answered.")


class Step(_Record):
    """What one step of the run took."""

    name: str = Field(description="A component's id, or a few words.")
    seconds: float = Field(description="Wall time.")
    peak_gigabytes: float = Field(description="Memory of the whole process tree meanwhile.")
    state: Literal["", "finished", "cached", "failed"] = Field("", description="How it ended.")


class Context(_Record):
    """All of it. What is not known stays empty, and nothing is shown in its place."""

    run: str = Field("", description="The run's name.")
    verdict: Verdict | None = Field(None, description="Whether the model may be pushed.")
    source: Source | None = Field(None, description="Where the pictures come from.")
    dataset: Dataset | None = Field(None, description="What the conversion made of them.")
    quarantine: tuple[Quarantined, ...] = Field((), description="What it kept out.")
    histories: tuple[tuple[dict[str, float], ...], ...] = Field(
        (), description="The figures of each epoch; of an ensemble, each member's."
    )
    pictures: dict[str, Picture] = Field({}, description="By the path that findings name.")
    filenames: bool = Field(False, description="Whether names of files are shown.")
    serving: Serving | None = Field(None, description="What the check before the push measured.")
    configuration: dict[str, Any] = Field({}, description="The whole configuration.")
    versions: dict[str, str] = Field({}, description="Of packages.")
    steps: tuple[Step, ...] = Field((), description="Of the run, in their order.")
