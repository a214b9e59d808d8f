"""What the page tells of the data."""

from typing import Final

from components.images.dataset import Dataset
from components.report.context import Context, Source
from components.report.figures import count
from components.report.markup import Markup, element, join
from components.report.pictures import image, name
from components.report.tables import note, section, table
from transform_module.features import LABELS, SPLITS

LISTED: Final = 20
"""So many files that were kept out are named."""

_NO_SUBTYPE: Final = ("normal", "unknown")


def data(context: Context) -> Markup:
    """Splits, classes, and what was kept out."""
    dataset = context.dataset
    return section(
        "data",
        "Data",
        _source(context.source) if context.source else None,
        _splits(dataset) if dataset else None,
        _quarantine(context, dataset),
    )


def _source(source: Source) -> Markup:
    told = [f"{source.name}. {source.description}"]
    if source.citation:
        told.append(f"Source: {source.citation}.")
    if source.licence:
        told.append(f"Licence: {source.licence}.")
    return element("p", " ".join(told))


def _splits(dataset: Dataset) -> Markup:
    rows = []
    subtypes = any(each.subtype not in _NO_SUBTYPE for each in dataset.splits)
    for split in SPLITS:
        found = [each for each in dataset.splits if each.split == split]
        kinds = [
            f"{each.subtype} {each.pictures:,}" for each in found if each.subtype not in _NO_SUBTYPE
        ]
        rows.append(
            (
                split,
                *(f"{dataset.pictures(split, label):,}" for label in LABELS),
                f"{dataset.pictures(split):,}",
                f"{sum(each.patients for each in found):,}",
                *([element("span", ", ".join(kinds), class_="whole")] if subtypes else []),
            )
        )
    dropped = len(dataset.dropped_patients)
    kept_apart = (
        f" Pictures of {count(dropped, 'patient')} of test were dropped from the other two."
        if dropped
        else ""
    )
    return join(
        table(
            "Pictures by split and class",
            ("split", *LABELS, "pictures", "patients", *(["of PNEUMONIA"] if subtypes else [])),
            rows,
            left=(0, 5),
        ),
        note(
            "The model learns from train; epoch, calibration and threshold are chosen on eval; "
            f"test is judged. No patient stands in two splits.{kept_apart} Seed {dataset.seed}, "
            f"fingerprint {dataset.fingerprint[:12]}."
        ),
        # The other sentences name files, which the page may not.
        note(dataset.patients.sentence) if dataset.patients else None,
        *(note(finding.message) for finding in dataset.findings),
    )


def _quarantine(context: Context, dataset: Dataset | None) -> Markup | None:
    total = sum(dataset.quarantine_reasons.values()) if dataset else len(context.quarantine)
    if not total:
        return None
    parts: list[object] = [element("h3", f"{count(total, 'file')} kept out")]
    if context.quarantine and context.filenames:
        shown = context.quarantine[:LISTED]
        parts.append(
            table(
                "Files that were kept out",
                ("file", "reason", "bytes"),
                [
                    (
                        join(
                            image(context.pictures.get(each.path), "kept out"),
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
            parts.append(note(f"The first {len(shown)}; all stand in quarantine.csv."))
    elif dataset:
        reasons = sorted(dataset.quarantine_reasons.items(), key=lambda each: -each[1])
        parts += [
            table("Files that were kept out", ("reason", "files"), reasons),
            note("Which they are stands in quarantine.csv beside the examples."),
        ]
    return join(*parts)
