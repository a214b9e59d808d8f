"""Evaluating a pushed model on labelled pictures, from the paths to the files."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.analysis.findings import Findings
from components.errors import NothingUsable, UserError
from components.images.settings import DatasetSettings
from components.local_paths import require_local
from components.text import printable
from serving.evaluate import labelled, labels_table, writing
from serving.evaluate.findings import Named, NoneUsable, Step, findings, untold
from serving.evaluate.labelled import Labelled, LabelledSet
from serving.evaluate.spoiling import SAMPLE
from serving.model import Model, find_version

_REASONS = 3


@dataclass(frozen=True)
class Evaluated:
    """What an evaluation found.

    Attributes:
        findings: as they are written.
        refused: path and reason of each file that is no usable picture.
    """

    findings: Findings
    refused: list[tuple[str, str]]


def evaluate(
    model: Path,
    images: Path,
    out: Path,
    *,
    against: Path | None = None,
    corruptions: bool = True,
    settings: DatasetSettings = DatasetSettings(),  # noqa: B008  (a frozen value)
    slices: Sequence[str] = (),
    step: Step = untold,
) -> Evaluated:
    """Judges labelled pictures, computes what that tells, and writes it.

    Args:
        model: a version's folder, or the folder of the versions, of which the latest is taken.
        images: a folder as `cxr convert` takes it, or a table, see `labels_table.read`.
        out: the folder to write into; made where it is missing. Files of an earlier evaluation are
            replaced.
        against: another model, to compare with.
        corruptions: whether to judge spoilt pictures, too, see `spoiling`.
        settings: how patients are told, of a folder.
        slices: further columns of a table to slice by.
        step: shows what is done.

    Raises:
        NothingUsable: none of the pictures can be used; ``out`` has the reason of each.
        UserError: there is no model, no picture or no label, only one class, or ``out`` cannot be
            written.
    """
    require_local(images, "The images")
    require_local(out, "The output")
    version = find_version(model).absolute()
    other = find_version(against).absolute() if against else None
    if other == version:
        raise UserError(
            f"{_name(version)} would be compared with itself. Name another version, such as a "
            f"folder beside it."
        )
    pictures = _find(images, settings, slices)
    writing.prepare(out)
    with step("Load the model"):
        subject = Named(_name(version), Model(version))
        compared = Named(_name(other), Model(other)) if other else None
    try:
        found, judgement = findings(
            subject,
            pictures.pictures,
            data=printable("/".join(images.absolute().parts[-2:])),
            other=compared,
            corruptions=SAMPLE if corruptions else 0,
            notes=pictures.notes,
            step=step,
        )
    except NoneUsable as error:
        reasons = error.judgement.reasons
        writing.write_pictures(out, error.judgement.judged, reasons, error.threshold)
        raise NothingUsable(_none_usable(images, out, pictures.pictures, reasons)) from error
    writing.write(out, found, judgement.judged, judgement.reasons)
    names = (picture.name for picture in pictures.pictures)
    refused = [
        (name, reason) for name, reason in zip(names, judgement.reasons, strict=True) if reason
    ]
    return Evaluated(found, refused)


def _find(images: Path, settings: DatasetSettings, slices: Sequence[str]) -> LabelledSet:
    if os.path.isdir(images):
        if slices:
            raise UserError(
                f"{images} is a folder, and has no column {slices[0]} to slice by. Give a table."
            )
        return labelled.find(images, settings)
    if not os.path.exists(images):
        raise UserError(
            f"There is no {images}. Give a folder with class folders, or a table of labels (CSV)."
        )
    if settings != DatasetSettings():
        raise UserError(
            f"{images} is a table, whose column `{labels_table.PATIENT}` tells the patients. Leave "
            "--patients and --patient-pattern out."
        )
    return labels_table.read(images, slices)


def _none_usable(
    images: Path, out: Path, pictures: Sequence[Labelled], reasons: Sequence[str]
) -> str:
    commonest = "; ".join(
        f"{reason} ({count:,})" for reason, count in Counter(reasons).most_common(_REASONS)
    )
    message = (
        f"None of the {len(pictures):,} images of {images} can be used: {commonest}. Each with "
        f"its reason is in {out / writing.PICTURES}."
    )
    if os.path.isfile(images) and not any(os.path.exists(each.file) for each in pictures):
        message += (
            f" None of them is there, such as {pictures[0].file}: the column "
            f"`{labels_table.PATH}` holds paths relative to the table's folder."
        )
    return message


def _name(version: Path) -> str:
    return printable(f"{version.parent.name}/{version.name}")
