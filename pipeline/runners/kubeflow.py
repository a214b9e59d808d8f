"""Kubeflow Pipelines' file: the pipeline's specification in YAML."""

from typing import Any

import yaml


def render(job: dict[str, Any]) -> str:
    """Writes what `kfp.Client` uploads and runs.

    Args:
        job: What `specification.specify` made.
    """
    pipeline = {
        **job["pipelineSpec"],
        "defaultPipelineRoot": job["runtimeConfig"]["gcsOutputDirectory"],
    }
    return yaml.safe_dump(pipeline, sort_keys=True, width=100)
