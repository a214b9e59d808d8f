"""Kubeflow Pipelines' file: the pipeline's specification in YAML."""

import copy
from typing import Any

import yaml


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
        label = components[task["componentRef"]["name"]]["executorLabel"]
        # Open-source Kubeflow runs no driver before it queries the cache, which then would not see
        # that the data behind a path is other data.
        if executors[label]["container"].pop("lifecycle", None):
            task["cachingOptions"] = {}
    return yaml.safe_dump(pipeline, sort_keys=True, width=100)
