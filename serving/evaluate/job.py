"""Evaluating a pushed model on labelled pictures, from the paths to the files."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from components.analysis import compute
from components.analysis.drift import drift
from components.analysis.findings import Findings
from components.errors import UserError, first_mistake
from components.images.progress import Progress
from components.images.settings import DatasetSettings
from serving.evaluate import labelled, labels_table, writing
from serving.evaluate.judging import Judgement, judge
from serving.evaluate.labelled import LabelledSet
from serving.evaluate.spoiling import judge_spoilt
from serving.model import Model, find_version
from transform_module import features
from transform_module.distribution import Distribution
from transform_module.settings import TransformSettings

Step = Callable[[str], AbstractContextManager[Progress | None]]
"""Begins a step of the work, by its name; what it gives is told the progress."""


@contextlib.contextmanager
def _untold(_: str) -> Iterator[None]:
    yield None


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
    step: Step = _untold,
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
        loaded = Model(version)
        loaded_other = Model(other) if other else None
    threshold = _threshold(loaded)
    with step("Judge pictures") as progress:
        judgement = judge(
            loaded.answer,
            pictures.pictures,
            transform=transform_of(loaded),
            ask_other=loaded_other.answer if loaded_other else None,
            progress=progress,
        )
    spoilt = []
    if corruptions and judgement.judged.valid.any():
        valid = [
            picture
            for picture, is_valid in zip(pictures.pictures, judgement.judged.valid, strict=True)
            if is_valid
        ]
        with step("Judge spoilt pictures") as progress:
            spoilt = judge_spoilt(loaded.answer, valid, threshold, progress=progress)
    with step("Compute figures"):
        found = compute.findings(
            judgement.judged,
            model=_name(version),
            record=loaded.record,
            data="/".join(data.absolute().parts[-2:]),
            threshold=threshold,
            corruptions=spoilt,
            drift=drift(trained_on(version), judgement.judged),
            other=_other(loaded_other, judgement),
            notes=pictures.notes,
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


def _threshold(model: Model) -> float:
    threshold = model.record.get("threshold")
    if not isinstance(threshold, int | float):
        raise UserError(f"The record of {model.path} tells no operating threshold.")
    return float(threshold)


def transform_of(model: Model) -> TransformSettings:
    """Reads what makes of a picture the one that the model sees.

    Raises:
        UserError: a later release made the model.
    """
    try:
        return TransformSettings.model_validate(model.record.get("transform", {}))
    except ValidationError as error:
        raise UserError(
            f"{model.path} was made with a transform that is not known here "
            f"({first_mistake(error)}). Evaluate it with the release that made it."
        ) from error


def trained_on(version: Path) -> dict[str, Distribution]:
    """Reads the statistics of the training; models from before they were kept have none."""
    path = version / features.TRAINING_STATISTICS
    if not path.exists():
        return {}
    try:
        return TypeAdapter(dict[str, Distribution]).validate_json(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        raise UserError(f"{path} holds no statistics ({first_mistake(error)}).") from error


def _other(model: Model | None, judgement: Judgement) -> compute.Other | None:
    if model is None or judgement.other is None:
        return None
    return compute.Other(
        name=_name(model.path),
        threshold=_threshold(model),
        probability=judgement.other.probability,
        valid=judgement.other.valid,
    )


def _name(version: Path) -> str:
    return f"{version.parent.name}/{version.name}"
