"""Settings of a deployment of TensorFlow Serving."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from serving.server.admission.batching_settings import BatchingSettings
from transform_module.errors import UserError

VERSION: Final = "2.19.1"
"""The release of TensorFlow Serving that everything here is written for."""

IMAGE: Final = f"tensorflow/serving:{VERSION}"


_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
# A DNS label (RFC 1123), as Kubernetes takes it for a namespace or a claim.
_NAME: Final = re.compile(r"(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?")


class AccessMode(StrEnum):
    """From where the claim of the models can be mounted."""

    READ_WRITE_MANY = "ReadWriteMany"
    """From every node; a storage class for it (NFS, CephFS, EFS, Filestore) is needed."""

    READ_WRITE_ONCE = "ReadWriteOnce"
    """From one node, on which all servers then run; every cluster has a storage class for it."""


@dataclass(frozen=True)
class Ssl:
    """What encrypts gRPC; TensorFlow Serving's REST port stays without encryption.

    Without any file, a template is written whose values are to be replaced.

    Attributes:
        key: the server's private key, a PEM file.
        certificate: the server's certificate with its chain, a PEM file.
        client_authority: the authority that signs clients' certificates, a PEM file.
        client_verify: whether a client without such a certificate is refused.

    Raises:
        UserError: only one of key and certificate is given.
    """

    key: Path | None = None
    certificate: Path | None = None
    client_authority: Path | None = None
    client_verify: bool = False

    def __post_init__(self) -> None:
        if (self.key is None) != (self.certificate is None):
            raise UserError("key, certificate: give both files, or none to get a template.")
        if self.client_verify and self.key and self.client_authority is None:
            raise UserError("client_verify: needs client_authority, which signs the clients.")


@dataclass(frozen=True)
class Resources:
    """What one server may take of its machine.

    Attributes:
        cpus_requested: cores that are kept for it.
        cpus: cores that it may use.
        memory_requested_mebibytes: memory that is kept for it.
        memory_mebibytes: memory that it may use; two versions are in it while one is replaced.

    Raises:
        UserError: more is requested than allowed.
    """

    cpus_requested: int = 1
    cpus: int = 4
    memory_requested_mebibytes: int = 2048
    memory_mebibytes: int = 4096

    def __post_init__(self) -> None:
        for requested, limit in (
            ("cpus_requested", "cpus"),
            ("memory_requested_mebibytes", "memory_mebibytes"),
        ):
            if not 1 <= getattr(self, requested) <= getattr(self, limit):
                raise UserError(
                    f"{requested}: must be between 1 and {limit}, {getattr(self, limit)}, is "
                    f"{getattr(self, requested)}."
                )


@dataclass(frozen=True)
class Verification:
    """What verifies the versions before a server starts, which itself verifies none.

    Attributes:
        image: the pipeline's container image, with a tag or a digest: it has `cxr verify`.
        key: PEM file of the signer's public key, or of the authorities of its certificate.
    """

    image: str
    key: Path


@dataclass(frozen=True)
class DeploymentSettings:
    """What can be chosen of a deployment.

    Attributes:
        stable: the version that the label ``stable`` names. With neither it nor a canary the server
            follows the latest version.
        canary: a second version, which the label ``canary`` names.
        batching: how requests are joined.
        ssl: encrypts gRPC; None serves it in the clear.
        verification: what verifies signatures on Kubernetes; None serves whatever is there.
        image: the container image, with a tag.
        image_digest: ``sha256:…`` of the image, because a registry may move a tag; None trusts it.
        resources: what one server may take.
        minimum_replicas: servers that always run.
        maximum_replicas: servers that run under load.
        target_cpu_percent: how busy the requested cores are before a server is added.
        user_id: whom the server runs as; it must be able to read the models and ``ssl.config``.
        claim: an existing claim that holds the models, of any access mode; None makes one.
        access_mode: of the claim that is made.
        storage_class: of the claim that is made; the cluster's own if None.
        storage_gibibytes: its size.
        storage_uri: where KServe fetches the model's folder; the claim if None.
        canary_traffic_percent: of the requests that KServe sends to what these settings describe,
            beside what was rolled out before; None sends all. Needs `stable`: it is what differs.
        client_namespaces: whose pods reach the servers, beside those of the servers' namespace: an
            ingress, mostly.
        monitoring_namespaces: whose pods reach the REST port, which has the metrics.
        connection_seconds: after which gRPC's clients connect anew, so that they hear of servers
            that were added.
        config_poll_seconds: how often ``models.config`` is read again.
        model_poll_seconds: how often the folder of the versions is listed.
        drain_seconds: how long a stopping server still serves requests.

    Raises:
        UserError: values that contradict each other.
    """

    stable: int | None = None
    canary: int | None = None
    batching: BatchingSettings = field(default_factory=BatchingSettings)
    ssl: Ssl | None = None
    verification: Verification | None = None
    image: str = IMAGE
    image_digest: str | None = None
    resources: Resources = field(default_factory=Resources)
    minimum_replicas: int = 2
    maximum_replicas: int = 10
    target_cpu_percent: int = 70
    user_id: int = 1000
    claim: str | None = None
    access_mode: AccessMode = AccessMode.READ_WRITE_MANY
    storage_class: str | None = None
    storage_gibibytes: int = 10
    storage_uri: str | None = None
    canary_traffic_percent: int | None = None
    client_namespaces: tuple[str, ...] = ("ingress-nginx",)
    monitoring_namespaces: tuple[str, ...] = ("monitoring",)
    connection_seconds: int = 300
    config_poll_seconds: int = 30
    model_poll_seconds: int = 10
    drain_seconds: int = 15

    def __post_init__(self) -> None:
        for name in (
            "minimum_replicas",
            "target_cpu_percent",
            "storage_gibibytes",
            "config_poll_seconds",
            "model_poll_seconds",
            "connection_seconds",
            "drain_seconds",
            "user_id",
        ):
            if getattr(self, name) < 1:
                raise UserError(f"{name}: must be at least 1, is {getattr(self, name)}.")
        if self.maximum_replicas < self.minimum_replicas:
            raise UserError(
                f"maximum_replicas: must be at least minimum_replicas, {self.minimum_replicas}, "
                f"is {self.maximum_replicas}."
            )
        if self.image_digest is not None and not _DIGEST.fullmatch(self.image_digest):
            raise UserError(
                f"image_digest: must be sha256: and 64 hexadecimal digits, is {self.image_digest}."
            )
        if "@" in self.image or ":" not in self.image.rpartition("/")[2]:
            raise UserError(
                f"image: must have a tag, and its digest is image_digest; is {self.image}."
            )
        for name, values in (
            ("claim", () if self.claim is None else (self.claim,)),
            ("client_namespaces", self.client_namespaces),
            ("monitoring_namespaces", self.monitoring_namespaces),
        ):
            for value in values:
                if not _NAME.fullmatch(value):
                    raise UserError(
                        f"{name}: must be a name in Kubernetes (a-z, 0-9, -), is {value}."
                    )
        if self.canary_traffic_percent is None:
            return
        if not 0 <= self.canary_traffic_percent <= 100:
            raise UserError(
                f"canary_traffic_percent: must be from 0 to 100, is {self.canary_traffic_percent}."
            )
        if self.stable is None:
            raise UserError("canary_traffic_percent: needs stable, the version that it tries.")

    @property
    def image_reference(self) -> str:
        """What is pulled."""
        return f"{self.image}@{self.image_digest}" if self.image_digest else self.image
