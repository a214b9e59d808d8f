"""A report without file names and patient ids.

The files beside the page (``findings.json``, ``context.json``) are without them, too, because the
folder may be passed on as a whole. Checksums of files stay: only who has a file can match it.
"""

import dataclasses

from serving.analysis.findings import Findings
from serving.images.dataset import Dataset
from serving.report.context import Context


def anonymous(findings: Findings, context: Context) -> tuple[Findings, Context]:
    """Replaces file names by numbers, and removes patient ids.

    Args:
        findings: of the evaluation.
        context: its images have the names of the findings.

    Returns:
        Both without names.
    """
    numbers = {miss.path: f"image {n}" for n, miss in enumerate(findings.misses, start=1)}
    misses = [dataclasses.replace(miss, path=numbers[miss.path]) for miss in findings.misses]
    update = {
        "quarantine": (),
        "images": {
            numbers[path]: image for path, image in context.images.items() if path in numbers
        },
        "dataset": context.dataset and without_patients(context.dataset),
    }
    return dataclasses.replace(findings, misses=misses), context.model_copy(update=update)


def without_patients(dataset: Dataset) -> Dataset:
    """Replaces the ids of dropped patients by numbers, and removes the names of files."""
    numbered = tuple(f"patient {n}" for n, _ in enumerate(dataset.dropped_patients, start=1))
    update = {
        "dropped_patients": numbered,
        "layout_warnings": (),
        "findings": tuple(
            finding.model_copy(update={"examples": ()}) for finding in dataset.findings
        ),
        "survey": dataset.survey and dataset.survey.model_copy(update={"examples": ()}),
    }
    return dataset.model_copy(update=update)
