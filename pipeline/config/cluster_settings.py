"""Settings of a run in a cluster."""

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

from components.google_cloud.settings import GoogleCloudSettings

_STRICT = ConfigDict(frozen=True, extra="forbid")


class ResourceSettings(BaseModel):
    """What one component is given."""

    model_config = _STRICT

    cpu: PositiveFloat | None = Field(None, description="Cores; null leaves it to the cluster.")
    memory: PositiveFloat | None = Field(
        None, description="Memory in gigabytes; null leaves it to the cluster."
    )
    accelerator: str | None = Field(
        None,
        description="Kind of accelerator: a resource of Kubernetes, such as nvidia.com/gpu, or a"
        " type of Vertex AI, such as NVIDIA_TESLA_T4.",
    )
    accelerators: PositiveInt = Field(1, description="How many of them.")
    retries: int = Field(0, ge=0, le=10, description="Tries after a failure.")


class ClusterSettings(BaseModel):
    """Where a compiled pipeline runs, and what its tasks are given."""

    model_config = _STRICT

    image: str | None = Field(
        None, description="The image that runs the components: registry/name:tag."
    )
    root: str | None = Field(None, description="Where the outputs go, such as gs://bucket/cxr.")
    examples: str | None = Field(
        None, description="What `cxr convert` made, such as gs://bucket/examples."
    )
    push_directory: str | None = Field(
        None, description="The folder a server watches; null is `pushed` under the root."
    )
    resources: dict[str, ResourceSettings] = Field(
        default_factory=dict, description="What each component is given, by its name."
    )
    google_cloud: GoogleCloudSettings | None = Field(
        None, description="Services of Google Cloud beside the tasks; null uses none."
    )
