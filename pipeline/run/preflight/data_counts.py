"""Image counts of a run, for its record and for printing."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.run_records.run_record import DataRecord
from serving.images.dataset import QUARANTINE_FILE, Dataset
from transform_module.contract import LABELS, SPLITS
from transform_module.text import count


def counted(dataset: Dataset) -> DataRecord:
    """Counts the images of a converted dataset."""
    known = dataset.patients
    return DataRecord(
        splits={
            split: {label: dataset.images(split, label) for label in LABELS} for split in SPLITS
        },
        patients_known=known.known if known else None,
        patients_of=known.images if known else None,
        quarantined=sum(each.quarantined for each in dataset.folders),
        skipped=sum(each.skipped for each in dataset.folders),
        dropped=sum(each.dropped for each in dataset.folders),
    )


def lines(dataset: Dataset, folder: Path) -> Iterator[str]:
    """Says what a dataset holds, and what was kept out of it.

    Args:
        dataset: converted in this run or before it.
        folder: where it is.

    Yields:
        A table of images by split and label, line by line, then sentences.
    """
    counts = counted(dataset)
    rows = [
        (split, *(counts.splits[split][label] for label in LABELS), dataset.images(split))
        for split in SPLITS
    ]
    yield f"{'images':<6}" + "".join(f"{name:>11}" for name in (*LABELS, "total"))
    for split, *numbers in rows:
        yield f"{split:<6}" + "".join(f"{number:>11,}" for number in numbers)
    if dataset.hold_out:
        yield f"The split test is {dataset.hold_out}, held out on purpose."
    yield from dataset.sentences
    if counts.quarantined:
        read = sum(each.read for each in dataset.folders)
        yield (
            f"Quarantined {counts.quarantined:,} of {read:,} files; each with its reason: "
            f"{_from_here(folder / QUARANTINE_FILE)}"
        )
    if counts.skipped:
        reasons = ", ".join(f"{why} {files:,}" for why, files in dataset.skipped_reasons.items())
        yield f"Skipped {count(counts.skipped, 'file')}" + (f": {reasons}." if reasons else ".")
    if counts.dropped:
        yield f"Left out {count(counts.dropped, 'image')} of patients who are in test."
    for split, label in dataset.missing:
        yield f"The split {split} holds no {label}."


def _from_here(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
