"""The files that an evaluation leaves."""

import csv
import dataclasses
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from serving.analysis.figures import predicted_positive
from serving.analysis.findings import (
    FINDINGS,
    Corruption,
    Estimate,
    Findings,
    Group,
    Shift,
    to_json,
)
from serving.analysis.predicted import Predicted
from serving.report.page import PAGE, page
from transform_module.contract import INVALID, LABELS
from transform_module.errors import UserError

IMAGES: Final = "images.csv"
SLICES: Final = "slices.csv"
CORRUPTIONS: Final = "corruptions.csv"
SHIFTS: Final = "shifts.csv"


def prepare(out: Path) -> None:
    """Makes the folder.

    Raises:
        UserError: it cannot be made or written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The folder {out} cannot be made: {error.strerror}.") from error
    if not os.access(out, os.W_OK | os.X_OK):
        raise UserError(f"The folder {out} cannot be written: permission denied.")


def write(out: Path, findings: Findings, predicted: Predicted, reasons: Sequence[str]) -> None:
    """Writes findings, their page, a row an image, a row a slice, a corruption, a shift.

    Args:
        out: a folder that is there.
        findings: all of them.
        predicted: the images.
        reasons: why each is not a readable image.

    Raises:
        UserError: a file cannot be written.
    """
    files = {
        IMAGES: _csv(image_rows(predicted, reasons, findings.threshold)),
        SLICES: _csv(slice_rows(findings)),
        CORRUPTIONS: _table(findings.corruptions, Corruption),
        SHIFTS: _table(findings.shifts, Shift),
        FINDINGS: to_json(findings),
        PAGE: page(findings),
    }
    for name, content in files.items():
        _write(out / name, content)


def write_images(out: Path, predicted: Predicted, reasons: Sequence[str], threshold: float) -> None:
    """Writes a row an image alone, in place of all that an earlier evaluation left.

    Args:
        out: a folder that is there.
        predicted: the images.
        reasons: why each is not a readable image.
        threshold: the operating threshold.

    Raises:
        UserError: a file cannot be written.
    """
    for name in (SLICES, CORRUPTIONS, SHIFTS, FINDINGS, PAGE):
        (out / name).unlink(missing_ok=True)
    _write(out / IMAGES, _csv(image_rows(predicted, reasons, threshold)))


def image_rows(
    predicted: Predicted, reasons: Sequence[str], threshold: float
) -> list[dict[str, Any]]:
    """One row an image: every column, its predicted label, and why it is not a readable image."""
    positive = predicted_positive(predicted.probability, threshold)
    columns = predicted.others | predicted.columns()
    rows = []
    for index, reason in enumerate(reasons):
        row = {name: _cell(column[index]) for name, column in columns.items()}
        row["label"] = LABELS[int(predicted.label[index])]
        row["predicted"] = LABELS[int(positive[index])] if predicted.valid[index] else INVALID
        row["reason"] = reason
        if not predicted.valid[index]:
            row["probability"] = None
        rows.append(row)
    return rows


def _table(rows: Iterable[Shift], kind: type[Shift]) -> str:
    return _csv(map(dataclasses.asdict, rows), [each.name for each in dataclasses.fields(kind)])


def slice_rows(findings: Findings) -> list[dict[str, Any]]:
    """One row a slice, everything first: its figures, each with both ends of its interval."""
    return [
        _group_row(dimension, group)
        for dimension, groups in {"": [findings.overall], **findings.slices}.items()
        for group in groups
    ]


def _group_row(dimension: str, group: Group) -> dict[str, Any]:
    row: dict[str, Any] = {"dimension": dimension}
    for name, value in vars(group).items():
        if isinstance(value, Estimate):
            row |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
        else:
            row[name] = value
    return row


def _write(file: Path, content: str) -> None:
    try:
        file.write_text(content, encoding="utf-8", newline="")
    except OSError as error:
        raise UserError(f"{file} cannot be written: {error.strerror}.") from error


def _cell(value: Any) -> Any:
    """A NumPy value as Python's, which csv prints; None where it is not a number."""
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and np.isnan(plain) else plain


def _csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str] = ()) -> str:
    kept = list(rows)
    file = io.StringIO()
    writer = csv.DictWriter(file, columns or list(kept[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(kept)
    return file.getvalue()
