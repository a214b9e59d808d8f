"""Vertex AI's file: a PipelineJob in JSON."""

import json
from typing import Any


def render(job: dict[str, Any]) -> str:
    """Writes what `google.cloud.aiplatform.PipelineJob` loads and runs.

    Args:
        job: what `specification.specify` made.
    """
    defined = job["pipelineSpec"]["root"]["inputDefinitions"]["parameters"]
    values = {name: each["defaultValue"] for name, each in defined.items()}
    complete = {**job, "runtimeConfig": {**job["runtimeConfig"], "parameterValues": values}}
    return json.dumps(complete, indent=2, sort_keys=True) + "\n"
