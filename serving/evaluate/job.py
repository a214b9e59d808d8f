"""Evaluating a pushed model on labelled images, from the paths to the files."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from serving.analysis.findings import Findings
from serving.evaluate import labelled, labels_table, writing
from serving.evaluate.changed import SAMPLE
from serving.evaluate.evaluation_findings import Named, NoneValid, Step, findings, unshown
from serving.evaluate.labelled import Labelled, LabelledSet
from serving.files.local_paths import require_local
from serving.images.settings import DatasetSettings
from serving.model import Model, find_version
from transform_module.errors import NothingValid, UserError
from transform_module.text import printable

_REASONS = 3


@dataclass(frozen=True)
class Evaluated:
    """What an evaluation found.

    Attributes:
        findings: as they are written.
        refused: path and reason of each file that is not a readable image.
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
    step: Step = unshown,
) -> Evaluated:
    """Predicts labelled images, computes the findings, and writes them.

    Args:
        model: a version's folder, or the folder of the versions, of which the latest is taken.
        images: a folder as `cxr convert` takes it, or a table, see `labels_table.read`.
        out: the folder to write into; made where it is missing. Files of an earlier evaluation are
            replaced.
        against: another model, to compare with.
        corruptions: whether to predict corrupted and shifted images, too, see `changed`.
        settings: what classes are called, and tables mean; how patients of a folder are identified.
        slices: further columns of a table to slice by.
        step: shows what is done.

    Raises:
        NothingValid: none of the images can be used; ``out`` has the reason of each.
        UserError: there is no model, no image or no label, only one class, or ``out`` cannot be
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
    labelled_set = _find(images, settings, slices)
    writing.prepare(out)
    with step("Load the model"):
        subject = Named(_name(version), Model(version))
        compared = Named(_name(other), Model(other)) if other else None
    try:
        found, predictions = findings(
            subject,
            labelled_set.images,
            data=printable("/".join(images.absolute().parts[-2:])),
            other=compared,
            corruptions=SAMPLE if corruptions else 0,
            notes=labelled_set.notes,
            step=step,
        )
    except NoneValid as error:
        reasons = error.predictions.reasons
        writing.write_images(out, error.predictions.predicted, reasons, error.threshold)
        raise NothingValid(_none_valid(images, out, labelled_set.images, reasons)) from error
    writing.write(out, found, predictions.predicted, predictions.reasons)
    names = (image.name for image in labelled_set.images)
    refused = [
        (name, reason) for name, reason in zip(names, predictions.reasons, strict=True) if reason
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
    if settings.patients or settings.patient_pattern:
        raise UserError(
            f"{images} is a table, whose column `patient` names the patients. Leave --patients and "
            "--patient-pattern out."
        )
    if settings.labels or settings.layout:
        raise UserError(
            f"{images} is a table of labels itself. Give the folder of the images, or leave "
            "--labels and --layout out."
        )
    return labels_table.read(images, slices, settings)


def _none_valid(images: Path, out: Path, files: Sequence[Labelled], reasons: Sequence[str]) -> str:
    commonest = "; ".join(
        f"{reason} ({count:,})" for reason, count in Counter(reasons).most_common(_REASONS)
    )
    message = (
        f"None of the {len(files):,} images of {images} can be used: {commonest}. Each with "
        f"its reason is in {out / writing.IMAGES}."
    )
    if os.path.isfile(images) and not any(os.path.exists(each.file) for each in files):
        message += (
            f" None of them is there, such as {files[0].file}: the column of paths must hold "
            "paths relative to the table's folder."
        )
    return message


def _name(version: Path) -> str:
    return printable(f"{version.parent.name}/{version.name}")
