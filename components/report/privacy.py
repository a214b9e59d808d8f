"""A report without the names of files and patients, for whoever may not read them.

What leaves with the page (``findings.json``, ``context.json``) is left without them, too: who
sends a folder on does not look into each file.
"""

import dataclasses

from components.analysis.findings import Findings
from components.images.dataset import Dataset
from components.report.context import Context


def anonymous(findings: Findings, context: Context) -> tuple[Findings, Context]:
    """Replaces the names of files by numbers, and leaves the patients' ids out.

    Args:
        findings: of the evaluation.
        context: its pictures are named as in the findings.

    Returns:
        The same without names.
    """
    numbers = {miss.path: f"image {n}" for n, miss in enumerate(findings.misses, start=1)}
    misses = [dataclasses.replace(miss, path=numbers[miss.path]) for miss in findings.misses]
    update = {
        "quarantine": (),
        "pictures": {
            numbers[path]: picture for path, picture in context.pictures.items() if path in numbers
        },
        "dataset": context.dataset and without_patients(context.dataset),
    }
    return dataclasses.replace(findings, misses=misses), context.model_copy(update=update)


def without_patients(dataset: Dataset) -> Dataset:
    """Replaces the ids of the patients that were dropped by numbers: how many counts."""
    numbered = tuple(f"patient {n}" for n, _ in enumerate(dataset.dropped_patients, start=1))
    return dataset.model_copy(update={"dropped_patients": numbered})
