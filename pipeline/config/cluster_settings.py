"""Settings of a run in a cluster."""

from typing import Annotated, Literal

from annotated_types import MinLen
from pydantic import BaseModel, Field, PositiveFloat, PositiveInt, model_validator

from components.google_cloud.settings import GoogleCloudSettings
from pipeline.component_ids import BASELINE, EXAMPLE_GEN, PUSHER, REPORT
from transform_module.strict import STRICT

DEFAULT = "default"
"""The entry of `cluster.resources` that holds for each component."""

READ_DATA = (EXAMPLE_GEN, REPORT)
"""Components that read `cluster.examples`; all others get what these make of it."""

READ_PUSHED = (BASELINE, PUSHER)
"""Components that read or write `cluster.push_directory`."""

POD_SETTINGS = (
    "tolerations",
    "node_selector",
    "volumes",
    "secrets",
    "pull_secrets",
    "pull_policy",
)
"""Settings of a pod, which Kubeflow has alone."""


class TolerationSettings(BaseModel):
    """A taint of nodes that a pod tolerates (kubernetes.io, "Taints and Tolerations")."""

    model_config = STRICT

    key: str | None = Field(None, description="The taint's key; null is any.")
    operator: Literal["Equal", "Exists"] = Field(
        "Equal", description="Equal compares the value, Exists takes any."
    )
    value: str | None = Field(None, description="The taint's value.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        None, description="The taint's effect; null is any."
    )
    seconds: int | None = Field(
        None, ge=0, description="How long NoExecute is tolerated; null is for ever."
    )


class VolumeSettings(BaseModel):
    """A volume of the cluster, as a folder of a pod."""

    model_config = STRICT

    claim: Annotated[str, MinLen(1)] = Field(description="Name of the PersistentVolumeClaim.")
    path: str = Field(pattern="^/.+", description="The folder where it is mounted.")


class SecretSettings(BaseModel):
    """A Secret of the cluster, as files or as variables; its content is never in a file of ours."""

    model_config = STRICT

    name: Annotated[str, MinLen(1)] = Field(description="Name of the Secret.")
    path: str | None = Field(
        None, pattern="^/.+", description="The folder where it is mounted; null mounts none."
    )
    environment: dict[str, str] = Field(
        default_factory=dict, description="Its keys, by the variable that each is put in."
    )

    @model_validator(mode="after")
    def _is_used(self) -> "SecretSettings":
        if not self.path and not self.environment:
            raise ValueError(
                f"the secret {self.name} has neither a path nor an environment, so that nothing "
                "can read it"
            )
        return self


class ResourceSettings(BaseModel):
    """What one component is given."""

    model_config = STRICT

    cpu: PositiveFloat | None = Field(None, description="Cores; null leaves it to the cluster.")
    memory: PositiveFloat | None = Field(
        None, description="Memory in gigabytes; null leaves it to the cluster."
    )
    cpu_request: PositiveFloat | None = Field(
        None, description="Cores that a node must have free; null is the limit."
    )
    memory_request: PositiveFloat | None = Field(
        None, description="Gigabytes that a node must have free; null is the limit."
    )
    accelerator: str | None = Field(
        None,
        description="Kind of accelerator: a resource of Kubernetes, such as nvidia.com/gpu, or a"
        " type of Vertex AI, such as NVIDIA_TESLA_T4.",
    )
    accelerators: PositiveInt = Field(1, description="How many of them.")
    retries: int = Field(0, ge=0, le=10, description="Tries after a failure.")
    environment: dict[str, str] = Field(
        default_factory=dict, description="Variables of the task; a password belongs in a secret."
    )
    tolerations: tuple[TolerationSettings, ...] = Field(
        (), description="Taints of nodes that the pod tolerates. Kubeflow alone, as what follows."
    )
    node_selector: dict[str, str] = Field(
        default_factory=dict, description="Labels that a node must have."
    )
    volumes: tuple[VolumeSettings, ...] = Field((), description="Volumes that are mounted.")
    secrets: tuple[SecretSettings, ...] = Field((), description="Secrets that the task reads.")
    pull_secrets: tuple[str, ...] = Field(
        (), description="Secrets with which the image is pulled, by name."
    )
    pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = Field(
        None, description="When the image is pulled; null leaves it to the cluster."
    )


class StoreSettings(BaseModel):
    """How tasks reach a store that speaks S3: data and push folder at s3:// or minio://.

    Kubeflow's launcher, which carries all else, has settings of its own in the ConfigMap
    kfp-launcher; these are the same names.
    """

    model_config = STRICT

    endpoint: str | None = Field(
        None,
        pattern=r"^https?://[^/]+$",
        description="Its address, such as http://minio-service.kubeflow:9000; null is AWS's own.",
    )
    region: str | None = Field(None, description="Its region; null leaves it to the client.")
    secret: str | None = Field(
        "mlpipeline-minio-artifact",
        description="The Secret that holds its keys, by default Kubeflow's own; null leaves it to"
        " the role of the pod.",
    )
    access_key: str = Field("accesskey", description="The Secret's entry of the access key.")
    secret_key: str = Field("secretkey", description="The Secret's entry of the secret key.")


class ClusterSettings(BaseModel):
    """Where a compiled pipeline runs, and what its tasks are given."""

    model_config = STRICT

    image: str | None = Field(
        None, description="The image that runs the components: registry/name:tag."
    )
    root: str | None = Field(None, description="Where the outputs go, such as gs://bucket/cxr.")
    examples: str | None = Field(
        None, description="What `cxr convert` made, such as gs://bucket/examples."
    )
    dataset_fingerprint: str | None = Field(
        None,
        description="The fingerprint in the examples' dataset.json; with it Kubeflow finds what was"
        " made of the same data in its cache, null computes all of it in each run.",
    )
    push_directory: str | None = Field(
        None, description="The folder a server watches; null is `pushed` under the root."
    )
    store: StoreSettings | None = Field(
        None, description="How data and push folder at s3:// or minio:// are reached, on Kubeflow."
    )
    resources: dict[str, ResourceSettings] = Field(
        default_factory=dict,
        description="What each component is given, by its name; `default` holds where a component"
        " says nothing.",
    )
    google_cloud: GoogleCloudSettings | None = Field(
        None, description="Services of Google Cloud beside the tasks; null uses none."
    )

    def given(self, component: str) -> ResourceSettings:
        """Returns what a component is given: each key of its own, else of the default.

        Components that read data or push folder get what reaches the store, too.
        """
        default = self.resources.get(DEFAULT, ResourceSettings())
        own = self.resources.get(component, ResourceSettings())
        given = default.model_copy(
            update={name: getattr(own, name) for name in own.model_fields_set}
        )
        if self.store is None or component not in (*READ_DATA, *READ_PUSHED):
            return given
        variables = {"AWS_ENDPOINT_URL": self.store.endpoint, "AWS_REGION": self.store.region}
        set_ = {name: value for name, value in variables.items() if value}
        keys = {
            "AWS_ACCESS_KEY_ID": self.store.access_key,
            "AWS_SECRET_ACCESS_KEY": self.store.secret_key,
        }
        name = self.store.secret
        secrets = (SecretSettings(name=name, environment=keys),) if name else ()
        return given.model_copy(
            update={
                "environment": {**set_, **given.environment},
                "secrets": (*given.secrets, *secrets),
            }
        )
