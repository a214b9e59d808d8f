"""Kubeflow Pipelines' file: the pipeline's specification in YAML."""

import copy
from typing import Any

import yaml

from components.task import COPIES_ROOT, GOOGLE_CLOUD


def render(job: dict[str, Any]) -> str:
    """Writes what `kfp.Client` uploads and runs.

    Args:
        job: what `specification.specify` made.
    """
    pipeline = copy.deepcopy(job["pipelineSpec"])
    pipeline["defaultPipelineRoot"] = job["runtimeConfig"]["gcsOutputDirectory"]
    components, tasks = pipeline["components"], pipeline["root"]["dag"]["tasks"]
    executors = pipeline["deploymentSpec"]["executors"]
    for task in tasks.values():
        container = executors[components[task["componentRef"]["name"]]["executorLabel"]][
            "container"
        ]
        # Open-source Kubeflow runs no driver before it queries the cache, which then would not see
        # that the data behind a path is other data.
        if container.pop("lifecycle", None):
            task["cachingOptions"] = {}
        # What Google Cloud computes reads and writes the bucket itself.
        if not any(word.startswith(GOOGLE_CLOUD) for word in container["args"]):
            container["args"][:0] = [COPIES_ROOT, "/"]
    return yaml.safe_dump(pipeline, sort_keys=True, width=100)
