"""Settings of the Google Cloud services that a pipeline uses."""

from pydantic import BaseModel, Field, NonNegativeInt, PositiveInt

from transform_module.strict import STRICT


class TrainerJobSettings(BaseModel):
    """The custom job of Vertex AI that trains."""

    model_config = STRICT

    machine: str = Field("n1-standard-8", description="Type of machine of each worker.")
    accelerator: str | None = Field(
        None, description="Type of accelerator of Vertex AI, such as NVIDIA_TESLA_T4 or TPU_V3."
    )
    accelerators: PositiveInt = Field(1, description="How many of them each worker has.")
    tpu_topology: str | None = Field(None, description="Of a TPU since v4, such as 2x2x1.")
    workers: PositiveInt = Field(
        1, description="Machines; from two on with trainer.strategy=multi_worker."
    )


class DataflowSettings(BaseModel):
    """The jobs of Dataflow that run Beam's steps."""

    model_config = STRICT

    machine: str = Field("n1-standard-4", description="Type of machine of a worker.")
    max_workers: PositiveInt = Field(10, description="The most workers a job may start.")
    disk: PositiveInt = Field(50, description="Disk of a worker in gigabytes.")
    subnetwork: str | None = Field(
        None,
        description="Private network: regions/REGION/subnetworks/NAME; null is the default one.",
    )
    public_addresses: bool = Field(True, description="Whether workers have public addresses.")


class EndpointSettings(BaseModel):
    """The endpoint of Vertex AI that serves what was pushed."""

    model_config = STRICT

    name: str = Field(
        "chest-xray", min_length=1, max_length=128, description="Its display name; made if missing."
    )
    container: str = Field(
        "tensorflow/serving:2.19.1",
        description="Image of TensorFlow Serving, where Vertex AI can pull it.",
    )
    machine: str = Field("n1-standard-4", description="Type of machine of a replica.")
    accelerator: str | None = Field(None, description="Type of accelerator of Vertex AI.")
    accelerators: PositiveInt = Field(1, description="How many of them each replica has.")
    min_replicas: PositiveInt = Field(1, description="The fewest replicas.")
    max_replicas: PositiveInt = Field(1, description="The most replicas.")
    traffic: NonNegativeInt = Field(
        100,
        le=100,
        description="Share of the requests, in percent, that the new model gets; what served"
        " before keeps the rest in its proportions.",
    )


class GoogleCloudSettings(BaseModel):
    """A project of Google Cloud, and what it does beside the pipeline's own tasks."""

    model_config = STRICT

    project: str = Field(description="The project's id.")
    region: str = Field("us-central1", description="Where its jobs and endpoints are.")
    service_account: str | None = Field(
        None, description="Whom jobs and replicas act as; null is the service's own."
    )
    network: str | None = Field(
        None, description="Private network of Vertex AI: projects/NUMBER/global/networks/NAME."
    )
    trainer_job: TrainerJobSettings | None = Field(
        None, description="Trains as a custom job of Vertex AI; null trains within the task."
    )
    dataflow: DataflowSettings | None = Field(
        None, description="Runs Beam's steps on Dataflow; null runs them within the task."
    )
    endpoint: EndpointSettings | None = Field(
        None, description="Serves at an endpoint of Vertex AI, too; null only pushes the files."
    )
