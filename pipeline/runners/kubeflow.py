"""Kubeflow Pipelines' file: the pipeline's specification in YAML."""

import copy
from typing import Any

import yaml

from components.artifacts.example_counts import FINGERPRINT
from components.task import COPIES_ROOT, GOOGLE_CLOUD
from pipeline.config.cluster_settings import ClusterSettings
from pipeline.runners import pods


def render(job: dict[str, Any], cluster: ClusterSettings) -> str:
    """Writes what `kfp.Client` uploads and runs.

    Args:
        job: what `specification.specify` made.
        cluster: what it was made for.

    Returns:
        The specification in YAML; where pods are given something, it is a second document.
    """
    pipeline = copy.deepcopy(job["pipelineSpec"])
    pipeline["defaultPipelineRoot"] = job["runtimeConfig"]["gcsOutputDirectory"]
    components, root = pipeline["components"], pipeline["root"]
    is_known = root["inputDefinitions"]["parameters"][FINGERPRINT]["defaultValue"]
    executors = pipeline["deploymentSpec"]["executors"]
    given = {}
    for name, task in root["dag"]["tasks"].items():
        label = components[task["componentRef"]["name"]]["executorLabel"]
        container = executors[label]["container"]
        given[label] = cluster.given(name)
        # Open-source Kubeflow runs no driver before it queries the cache, which then would not see
        # that the data behind a path is other data.
        if container.pop("lifecycle", None) and not is_known:
            task["cachingOptions"] = {}
        # What Google Cloud computes reads and writes the bucket itself.
        if not any(word.startswith(GOOGLE_CLOUD) for word in container["args"]):
            container["args"][:0] = [COPIES_ROOT, "/"]
    platform = pods.platform(given)
    documents = [pipeline, platform] if platform else [pipeline]
    return yaml.safe_dump_all(documents, sort_keys=True, width=100)
