"""Labelled images: of a folder with class folders, or of a table."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from serving.images import layout, patients
from serving.images.labels.labelled_files import labelled_files
from serving.images.settings import DatasetSettings
from transform_module.contract import TRAIN


@dataclass(frozen=True)
class Labelled:
    """An image to evaluate.

    Attributes:
        file: where it is.
        name: its path as messages show it.
        label: one of LABELS.
        subtype: of it; empty if unknown.
        patient: whose it is; None if unknown.
        problem: why it is not an image, known without reading it; None where it may be one.
        others: further columns of its table.
    """

    file: Path
    name: str
    label: str
    subtype: str
    patient: str | None
    problem: str | None = None
    others: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LabelledSet:
    """Images to evaluate.

    Attributes:
        images: each once.
        notes: what to know of them, a sentence each.
    """

    images: Sequence[Labelled]
    notes: tuple[str, ...] = ()


def find(images: Path, settings: DatasetSettings) -> LabelledSet:
    """Finds the images of a folder, and takes its class folders for labels.

    Args:
        images: a folder as `cxr convert` takes it. All its images are taken, of whichever split.
        settings: how patients are identified.

    Returns:
        The images, in the order of their paths.

    Raises:
        UserError: there is no such folder, it holds no class folder, or the patients' table or
            pattern is a mistake.
    """
    files = labelled_files(images, settings)
    patient_of = patients.patient_finder(settings, files)
    labelled = [file for file in files if file.label and not file.skipped]
    outside = sum(not file.label and not file.skipped for file in files)
    notes = []
    if outside:
        notes.append(
            f"Files outside the class folders, which were ignored: {outside:,}."
            f"{layout.unnamed(files, settings)}"
        )
    left = Counter(file.skipped for file in files if file.skipped)
    for reason, count in left.most_common():
        notes.append(f"Files skipped ({reason}): {count:,}.")
    notes += patient_of.notes
    if any(file.folder == TRAIN for file in labelled):
        notes.append(
            f"Images of the folder {TRAIN} are among them: metrics are too high on images that "
            "the model was trained on."
        )
    return LabelledSet(
        [
            Labelled(
                file=images / os.fsdecode(file.path),
                name=file.filename,
                label=file.label,
                subtype=subtype_of(file.label, file.filename, file.subtype),
                patient=patient_of(file),
                problem=file.problem,
            )
            for file in labelled
        ],
        tuple(notes),
    )


def subtype_of(label: str, name: str, named: str = "") -> str:
    """Returns an image's subtype, as named or by its file name; empty where neither has it."""
    found = patients.subtype(label, name.rsplit("/", 1)[-1], named)
    return "" if found == patients.UNKNOWN_SUBTYPE else found
