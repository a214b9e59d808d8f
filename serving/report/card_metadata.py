"""The metadata of a model card, see https://huggingface.co/docs/hub/model-cards."""

import re
from typing import Any, Final

from serving.analysis.findings import Findings
from serving.report.context import Context
from serving.report.drawing.figure_text import MEANINGS, estimate
from serving.report.sources import NOT_STATED
from transform_module.contract import TEST

_UNKNOWN_TYPE: Final = "imagefolder"
"""Hugging Face's name for a dataset of class folders."""

# Names of https://huggingface.co/metrics.
_METRICS: Final = {
    "auc": "roc_auc",
    "pr_auc": "average_precision",
    "accuracy": "accuracy",
    "sensitivity": "recall",
    "specificity": "specificity",
    "ece": "expected_calibration_error",
    "brier": "brier_score",
}


def metadata(findings: Findings, context: Context) -> dict[str, Any]:
    """Returns a model's task, data and metrics for machines.

    Args:
        findings: of its evaluation.
        context: the run that made it.

    Returns:
        What YAML can hold; undefined metrics are left out.
    """
    source = context.source
    name = source.name if source else ""
    values = ((key, estimate(findings.overall, key).value) for key in MEANINGS)
    return {
        "library_name": "tensorflow",
        "pipeline_tag": "image-classification",
        "tags": ["chest-x-ray", "pneumonia", "tfx", "saved-model"],
        "model-index": [
            {
                "name": findings.model,
                "results": [
                    {
                        "task": {"type": "image-classification"},
                        "dataset": {
                            "name": name or NOT_STATED,
                            "type": re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")
                            or _UNKNOWN_TYPE,
                            **({"split": TEST} if context.dataset else {}),
                        },
                        "metrics": [
                            {
                                "type": _METRICS[key],
                                "name": MEANINGS[key][0],
                                "value": round(value, 4),
                            }
                            for key, value in values
                            if value is not None
                        ],
                    }
                ],
            }
        ],
    }
