"""Evaluating a pushed model on labelled pictures, from the paths to the files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.analysis.findings import Findings
from components.errors import UserError
from components.images.settings import DatasetSettings
from serving.evaluate import labelled, labels_table, writing
from serving.evaluate.findings import Named, Step, findings, untold
from serving.evaluate.labelled import LabelledSet
from serving.evaluate.spoiling import SAMPLE
from serving.model import Model, find_version


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
    data: Path,
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
        data: a folder as `cxr convert` takes it, or a table, see `labels_table.read`.
        out: the folder to write into; made where it is missing. Files of an earlier evaluation are
            replaced.
        against: another model, to compare with.
        corruptions: whether to judge spoilt pictures, too, see `spoiling`.
        settings: how patients are told, of a folder.
        slices: further columns of a table to slice by.
        step: shows what is done.

    Raises:
        UserError: there is no model, no picture or no label, only one class, or ``out`` cannot be
            written.
    """
    version = find_version(model).absolute()
    other = find_version(against).absolute() if against else None
    if other == version:
        raise UserError(
            f"{_name(version)} would be compared with itself. Name another version, such as a "
            f"folder beside it."
        )
    pictures = _find(data, settings, slices)
    writing.prepare(out)
    with step("Load the model"):
        subject = Named(_name(version), Model(version))
        compared = Named(_name(other), Model(other)) if other else None
    found, judgement = findings(
        subject,
        pictures.pictures,
        data="/".join(data.absolute().parts[-2:]),
        other=compared,
        corruptions=SAMPLE if corruptions else 0,
        notes=pictures.notes,
        step=step,
    )
    writing.write(out, found, judgement.judged, judgement.reasons)
    names = (picture.name for picture in pictures.pictures)
    refused = [
        (name, reason) for name, reason in zip(names, judgement.reasons, strict=True) if reason
    ]
    return Evaluated(found, refused)


def _find(data: Path, settings: DatasetSettings, slices: Sequence[str]) -> LabelledSet:
    if data.is_dir():
        if slices:
            raise UserError(
                f"{data} is a folder, and has no column {slices[0]} to slice by. Give a table."
            )
        return labelled.find(data, settings)
    if not data.exists():
        raise UserError(
            f"There is no {data}. Give a folder with class folders, or a table of labels (CSV)."
        )
    if settings != DatasetSettings():
        raise UserError(
            f"{data} is a table, whose column `{labels_table.PATIENT}` tells the patients. Leave "
            "--patients and --patient-pattern out."
        )
    return labels_table.read(data, slices)


def _name(version: Path) -> str:
    return f"{version.parent.name}/{version.name}"
