"""The section about the data."""

from typing import Final

from serving.images.dataset import Dataset
from serving.report.context import Context
from serving.report.drawing.html_tables import note, section, table
from serving.report.drawing.image_markup import image, name
from serving.report.drawing.markup import Markup, element, join
from serving.report.sources import data_source
from transform_module.contract import LABELS, SPLITS
from transform_module.text import count

LISTED: Final = 20
"""The number of quarantined files that are listed."""

_NO_SUBTYPE: Final = ("normal", "unknown")


def data(context: Context) -> Markup:
    """Returns the splits, the classes and the quarantined files."""
    dataset = context.dataset
    return section(
        "data",
        "Data",
        element("p", data_source(context)) if context.source or dataset else None,
        splits(dataset) if dataset else None,
        # The other sentences name files, which the page may not.
        note(dataset.patients.sentence) if dataset and dataset.patients else None,
        *(note(finding.message) for finding in (dataset.findings if dataset else ())),
        _quarantine(context, dataset),
    )


def splits(dataset: Dataset) -> Markup:
    """Returns a table of the images and the patients of each split."""
    rows = []
    subtypes = any(each.subtype not in _NO_SUBTYPE for each in dataset.splits)
    for split in SPLITS:
        found = [each for each in dataset.splits if each.split == split]
        kinds = [
            f"{each.subtype} {each.images:,}" for each in found if each.subtype not in _NO_SUBTYPE
        ]
        rows.append(
            (
                split,
                *(f"{dataset.images(split, label):,}" for label in LABELS),
                f"{dataset.images(split):,}",
                f"{sum(each.patients for each in found):,}",
                *([element("span", ", ".join(kinds), class_="whole")] if subtypes else []),
            )
        )
    dropped = len(dataset.dropped_patients)
    kept_apart = (
        f" Images of {count(dropped, 'patient')} of test were dropped from train and eval."
        if dropped
        else ""
    )
    return join(
        table(
            "Images by split and class",
            ("split", *LABELS, "images", "patients", *(["of PNEUMONIA"] if subtypes else [])),
            rows,
            left=(0, 5),
        ),
        note(
            "The model is trained on train; epoch, calibration and threshold are chosen on eval; "
            f"the metrics are measured on test. No patient is in two splits.{kept_apart} Seed "
            f"{dataset.seed}, fingerprint {dataset.fingerprint[:12]}."
        ),
    )


def _quarantine(context: Context, dataset: Dataset | None) -> Markup | None:
    total = sum(dataset.quarantine_reasons.values()) if dataset else len(context.quarantine)
    if not total:
        return None
    parts: list[object] = [element("h3", f"{count(total, 'file')} quarantined")]
    if context.quarantine and context.filenames:
        shown = context.quarantine[:LISTED]
        parts.append(
            table(
                "Quarantined files",
                ("file", "reason", "bytes"),
                [
                    (
                        join(
                            image(context.images.get(each.path), "quarantined"),
                            name(each.path),
                        ),
                        each.reason,
                        f"{each.bytes:,}",
                    )
                    for each in shown
                ],
                left=(0, 1),
            )
        )
        if len(context.quarantine) > len(shown):
            parts.append(note(f"The first {len(shown)}; quarantine.csv lists all of them."))
    elif dataset:
        reasons = sorted(dataset.quarantine_reasons.items(), key=lambda each: -each[1])
        parts += [
            table("Quarantined files", ("reason", "files"), reasons),
            note("quarantine.csv beside the examples lists the files."),
        ]
    return join(*parts)
