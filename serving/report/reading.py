"""Reads the files of a run for its report; absent ones are left out."""

import csv
import importlib.metadata
import io
import json
import math
import platform
from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from pydantic import ValidationError

from serving.images.dataset import DATASET_FILE, QUARANTINE_FILE, Dataset
from serving.report.context import Quarantined, Serving
from transform_module.files import remote

HISTORY: Final = "history.csv"
"""The file of a training's figures by epoch."""

_PACKAGES: Final = ("tfx", "tensorflow-transform", "apache-beam", "numpy")
_LISTED: Final = 1000


def dataset(folder: str) -> Dataset | None:
    """Reads dataset.json beside the examples."""
    text = _text(f"{folder}/{DATASET_FILE}")
    try:
        return Dataset.model_validate_json(text) if text else None
    except ValidationError:
        return None


def quarantine(folder: str) -> list[Quarantined]:
    """Reads the first thousand rows of quarantine.csv."""
    rows = _rows(f"{folder}/{QUARANTINE_FILE}")
    return [
        Quarantined(path=row["path"], reason=row["reason"], bytes=int(row["bytes"]))
        for row, _ in zip(rows, range(_LISTED), strict=False)
    ]


def histories(folder: str) -> list[tuple[dict[str, float], ...]]:
    """Reads the metrics of each epoch; those that are not finite are left out.

    Returns:
        One history; of an ensemble, one for each member.
    """
    rows = _rows(f"{folder}/{HISTORY}")
    return [
        tuple(
            {
                name: float(value)
                for name, value in row.items()
                if name not in ("member", "epoch") and math.isfinite(float(value))
            }
            for row in found
        )
        for _, found in groupby(rows, lambda row: row.get("member"))
    ]


def serving(path: str) -> Serving | None:
    """Reads the measurements of the check before the push."""
    found: dict[str, Any] = json.loads(_text(path) or "{}")
    known = {name: found.get(name) for name in Serving.model_fields}
    return None if None in known.values() else Serving(**known)


def versions() -> dict[str, str]:
    """Returns the versions of Python and of the main packages."""
    return {
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _PACKAGES},
    }


def _rows(path: str) -> Iterator[dict[str, str]]:
    """Reads a table. A file name may hold any line break, such as U+2028: it begins no new row."""
    return csv.DictReader(io.StringIO(_text(path), newline=""))


def _text(path: str) -> str:
    try:
        with remote.opened(path) as file:
            return file.read().decode(errors="replace")
    except remote.NOT_FOUND:
        return ""
