"""Checks for what cannot work in a cluster, before anything is compiled."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Final, Literal

from pipeline.component_ids import COMPONENTS, TRAINER, TUNER
from pipeline.config.cluster_settings import (
    DEFAULT,
    POD_SETTINGS,
    READ_DATA,
    READ_PUSHED,
    VolumeSettings,
)
from pipeline.config.config import Config
from transform_module.did_you_mean import did_you_mean

Target = Literal["kubeflow", "vertex"]

_IMAGE: Final = re.compile(
    r"(?P<registry>[a-z0-9.-]+(:\d+)?/)?[a-z0-9._-]+(/[a-z0-9._-]+)*"
    r"(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?"
)
_PINNED: Final = re.compile(r".*(:[\w][\w.-]*|@sha256:[0-9a-f]{64})")
# Kubernetes' names of objects (RFC 1123), which runs of Kubeflow and Vertex AI take theirs from.
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_BUCKET: Final = re.compile(r"[a-z0-9]+://[a-z0-9][a-z0-9._-]{1,61}[a-z0-9](/.*)?")
# kubeflow/pipelines 2.17.0, backend/src/v2/component/launcher_v2.go, LocalPathForURI: 1239-1253.
_STORES: Final[dict[str, tuple[str, ...]]] = {
    "kubeflow": ("gs", "s3", "minio"),
    "vertex": ("gs",),
}
# "Extended resources" of kubernetes.io/docs/concepts/configuration/manage-resources-containers
_EXTENDED_RESOURCE: Final = re.compile(r"[a-z0-9.-]+\.[a-z]+/[A-Za-z0-9._-]+")

# cloud.google.com/resource-manager/docs/creating-managing-projects, older ones with a domain
_PROJECT: Final = re.compile(r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
_REGION: Final = re.compile(r"[a-z]+(-[a-z]+)+[0-9]+")
_NETWORK: Final = re.compile(r"projects/[0-9]+/global/networks/[a-z0-9-]+")
_SUBNETWORK: Final = re.compile(
    r"(https://www\.googleapis\.com/compute/v1/projects/[a-z0-9.:-]+/)?"
    r"regions/[a-z0-9-]+/subnetworks/[a-z0-9-]+"
)


def problems(config: Config, target: Target) -> list[str]:
    """Returns what is wrong, each with the key, what was found and what to do."""
    return [
        *_image_problems(config),
        *_place_problems(config, target),
        *_name_problems(config),
        *_component_problems(config, target),
        *_training_problems(config),
        *_google_cloud_problems(config),
    ]


def _image_problems(config: Config) -> Iterator[str]:
    image = config.cluster.image
    if not image:
        yield (
            "cluster.image is not set: the image that runs the components. Build it with "
            "`make image`, push it, and give its name: --set cluster.image=REGISTRY/NAME:TAG"
        )
    elif not _IMAGE.fullmatch(image):
        yield (
            f"cluster.image is {image!r}, which is not an image name (registry/name:tag, in "
            f"lower-case letters){_replace(image)}."
        )
    elif not _PINNED.fullmatch(image.rpartition("/")[2]) or image.endswith(":latest"):
        yield (
            f"cluster.image is {image!r}, which names another image tomorrow; give a tag of its "
            "own or a digest."
        )


def _place_problems(config: Config, target: Target) -> Iterator[str]:
    cluster = config.cluster
    for key, value, meaning, readers in (
        ("root", cluster.root, "where the outputs go", ()),
        (
            "examples",
            cluster.examples,
            "what `cxr convert` made, copied to where tasks read it",
            READ_DATA,
        ),
        ("push_directory", cluster.push_directory, "", READ_PUSHED),
    ):
        if value:
            yield from _wrong_place(config, target, key, value, readers)
        elif meaning:
            yield f"cluster.{key} is not set: {meaning}. --set cluster.{key}=gs://BUCKET/FOLDER"
    pushed = cluster.push_directory or f"{cluster.root or ''}/pushed"
    places = [cluster.examples or "", pushed]
    schemes = {place.partition("://")[0] for place in places if "://" in place}
    if target == "kubeflow" and schemes & {"s3", "minio"} and cluster.store is None:
        yield (
            f"cluster.store is not set, and data or push folder are at {min(schemes - {'gs'})}://: "
            "give the store's endpoint and the Secret of its keys, as in "
            "--set cluster.store.endpoint=http://minio-service.kubeflow:9000"
        )
    elif "minio" in schemes and cluster.store and not cluster.store.endpoint:
        yield (
            "cluster.store.endpoint is not set, and minio:// has no address of its own; give it, "
            "such as http://minio-service.kubeflow:9000."
        )
    if config.cluster.google_cloud and (cluster.root or "gs:").partition(":")[0] != "gs":
        yield (
            f"cluster.root is {cluster.root!r}, and cluster.google_cloud is set, whose services "
            "read and write gs:// alone."
        )


def _wrong_place(
    config: Config, target: Target, key: str, value: str, readers: Sequence[str]
) -> Iterator[str]:
    stores = _STORES[target]
    scheme, is_remote, _ = value.partition("://")
    allowed = f"{', '.join(f'{each}://' for each in stores)}"
    if not is_remote:
        folders = [config.cluster.given(each).volumes for each in readers]
        if target == "vertex" or not readers:
            yield (
                f"cluster.{key} is {value!r}, a local path, which no task in a cluster finds; give "
                f"one that begins with {allowed}"
            )
        elif not all(_holds(volumes, value) for volumes in folders):
            yield (
                f"cluster.{key} is {value!r}, a local path, which no task in a cluster finds; give "
                f"one that begins with {allowed}, or mount a volume there: "
                f"cluster.resources.{'.volumes and cluster.resources.'.join(readers)}.volumes"
            )
    elif scheme not in stores:
        yield (
            f"cluster.{key} is {value!r}; the tasks read and write {allowed} there, and "
            f"{scheme}:// not."
        )
    elif not _BUCKET.fullmatch(value):
        yield (
            f"cluster.{key} is {value!r}, which names no bucket ({scheme}://bucket/folder, with "
            f"lower-case letters in the bucket){_replace(value)}."
        )


def _holds(volumes: Iterable[VolumeSettings], path: str) -> bool:
    return any(PurePosixPath(path).is_relative_to(each.path) for each in volumes)


def _replace(value: str) -> str:
    """Advises on a value with a placeholder of a document, which is written in capitals."""
    placeholder = re.search(r"(?<![A-Za-z])[A-Z][A-Z_-]{2,}(?![A-Za-z])", value)
    return f"; replace {placeholder[0]} with your own" if placeholder else ""


def _name_problems(config: Config) -> Iterator[str]:
    if not _NAME.fullmatch(config.name):
        yield (
            f"name is {config.name!r}; Kubernetes and Vertex AI take lower-case letters, digits "
            "and hyphens, with a letter or digit at both ends."
        )


def _component_problems(config: Config, target: Target) -> Iterator[str]:
    if config.serving_check.engine == "tensorflow-serving":
        yield (
            "serving_check.engine is tensorflow-serving, which starts a container, as a task "
            "cannot; give serving_check.engine=embedded."
        )
    components = (*COMPONENTS, TUNER) if config.tuner.enabled else COMPONENTS
    for name, given in config.cluster.resources.items():
        key = f"cluster.resources.{name}"
        if name not in (*components, DEFAULT):
            yield (
                f"{key}: there is no such component.{did_you_mean(name, components)} There are "
                f"{', '.join(components)}, and {DEFAULT} for all."
            )
        if target == "vertex":
            for setting in POD_SETTINGS:
                if setting in given.model_fields_set:
                    yield (
                        f"{key}.{setting} is of a pod of Kubernetes, which Vertex AI does not let "
                        "you describe; leave it out for this target."
                    )
        if given.accelerator and (problem := _accelerator_problem(given.accelerator, target)):
            yield f"{key}.accelerator is {given.accelerator!r}, {problem}"


def _training_problems(config: Config) -> Iterator[str]:
    google_cloud, strategy = config.cluster.google_cloud, config.trainer.strategy
    job = google_cloud.trainer_job if google_cloud else None
    key = "cluster.google_cloud.trainer_job" if job else "cluster.resources.Trainer"
    trained_by = {key: job or config.cluster.given(TRAINER)}
    if config.tuner.enabled:
        trained_by[f"cluster.resources.{TUNER}"] = config.cluster.given(TUNER)
    wants = {"gpu": ("nvidia", "amd"), "multi_gpu": ("nvidia", "amd"), "tpu": ("tpu",)}
    needed = wants.get(strategy, ("",))
    for place, given in trained_by.items():
        # Newer TPUs are a type of machine, such as ct5lp-hightpu-4t.
        kind = f"{given.accelerator} {getattr(given, 'machine', '')}".lower()
        if not any(word in kind for word in needed):
            yield (
                f"trainer.strategy is {strategy}, and {place}.accelerator gives it none of that "
                "kind."
            )
    workers = job.workers if job else 1
    if strategy == "multi_worker" and workers == 1:
        yield (
            "trainer.strategy is multi_worker, and there is one worker; give "
            "cluster.google_cloud.trainer_job.workers=2 or more, or trainer.strategy=multi_gpu and "
            "several accelerators."
        )
    if strategy != "multi_worker" and workers > 1:
        yield (
            f"{key}.workers is {workers}, and trainer.strategy is {strategy}, with which each "
            "trains by itself; give trainer.strategy=multi_worker."
        )


def _google_cloud_problems(config: Config) -> Iterator[str]:
    chosen = config.cluster.google_cloud
    if chosen is None:
        return
    for key, value, form, example in (
        ("project", chosen.project, _PROJECT, "my-project-1"),
        ("region", chosen.region, _REGION, "us-central1"),
        ("network", chosen.network, _NETWORK, "projects/123456/global/networks/default"),
        (
            "dataflow.subnetwork",
            chosen.dataflow.subnetwork if chosen.dataflow else None,
            _SUBNETWORK,
            "regions/us-central1/subnetworks/default",
        ),
    ):
        if value is not None and not form.fullmatch(value):
            yield f"cluster.google_cloud.{key} is {value!r}; it is written as in {example}."
    for name, each in (("trainer_job", chosen.trainer_job), ("endpoint", chosen.endpoint)):
        if each and each.accelerator and (wrong := _vertex_problem(each.accelerator)):
            yield f"cluster.google_cloud.{name}.accelerator is {each.accelerator!r}, {wrong}"
    endpoint = chosen.endpoint
    if endpoint and endpoint.max_replicas < endpoint.min_replicas:
        yield (
            f"cluster.google_cloud.endpoint.max_replicas is {endpoint.max_replicas}, fewer than "
            f"min_replicas, {endpoint.min_replicas}."
        )


def _accelerator_problem(kind: str, target: Target) -> str:
    if target == "kubeflow":
        if _EXTENDED_RESOURCE.fullmatch(kind):
            return ""
        return "which is not a resource of Kubernetes, such as nvidia.com/gpu or google.com/tpu."
    return _vertex_problem(kind)


def _vertex_problem(kind: str) -> str:
    known = _vertex_accelerators()
    if kind in known:
        return ""
    advice = did_you_mean(kind, known)
    return f"which Vertex AI does not have.{advice} It has {', '.join(known)}."


def _vertex_accelerators() -> list[str]:
    from google.cloud.aiplatform_v1.types import AcceleratorType

    return [name for name, each in AcceleratorType.__members__.items() if each.value]
