"""The head of a model card, as https://huggingface.co/docs/hub/model-cards tells of it."""

import re
from typing import Any, Final

from components.analysis.findings import Findings
from components.report.context import Context
from components.report.figures import MEANINGS, estimate
from transform_module.features import TEST

UNKNOWN_SOURCE: Final = "Pictures of a folder"
"""The name of pictures whose source is not told."""

# As https://huggingface.co/metrics calls them.
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
    """Tells a model's task, data and figures to machines.

    Args:
        findings: of its evaluation.
        context: the run that made it.

    Returns:
        What YAML can hold; figures that are undefined are left out.
    """
    source = context.source
    name = source.name if source else UNKNOWN_SOURCE
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
                            "name": name,
                            "type": re.sub("[^a-z0-9]+", "-", name.lower()).strip("-"),
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
