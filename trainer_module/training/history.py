"""The figures of each epoch: which was best, when to stop, and the CSV that keeps them."""

import csv
import hashlib
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TextIO

FILE: Final = "history.csv"
"""The name it has in a training's logs and in its backup."""

Epoch = Mapping[str, float]


def best_epoch(history: Sequence[Epoch], monitor: str) -> int:
    """Finds the first epoch with the best figure.

    Args:
        history: one mapping of figures an epoch, at least one.
        monitor: the figure's name; a loss is best when low, all else when high. NaN is worst.

    Returns:
        Its index.
    """
    return max(
        range(len(history)), key=lambda index: (_merit(history[index][monitor], monitor), -index)
    )


def _merit(value: float, monitor: str) -> float:
    if math.isnan(value):
        return -math.inf
    return -value if monitor.endswith("loss") else value


def is_over(history: Sequence[Epoch], monitor: str, *, epochs: int, patience: int) -> bool:
    """Whether the training is to stop: all epochs are done, or `patience` of them were in vain."""
    if not history:
        return False
    in_vain = len(history) - 1 - best_epoch(history, monitor)
    return len(history) >= epochs or in_vain >= patience


def write(path: Path, history: Sequence[Epoch]) -> None:
    """Writes one row an epoch; a reader sees the former file or the whole new one."""
    _write(path, _rows(history))


def write_members(path: Path, histories: Sequence[Sequence[Epoch]]) -> None:
    """Writes the epochs of each of an ensemble's members, after a column ``member`` from 1 on."""
    _write(
        path,
        [
            {"member": member, **row}
            for member, history in enumerate(histories, start=1)
            for row in _rows(history)
        ],
    )


def _rows(history: Sequence[Epoch]) -> list[dict[str, float]]:
    return [{"epoch": epoch, **figures} for epoch, figures in enumerate(history, start=1)]


def digest(history: Sequence[Epoch]) -> str:
    """Hashes a history, as `write` writes it, to 64 hexadecimal digits."""
    text = io.StringIO(newline="")
    if history:
        _write_rows(text, _rows(history))
    return hashlib.sha256(text.getvalue().encode()).hexdigest()


def _write(path: Path, rows: Sequence[Mapping[str, float]]) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("w", newline="") as file:
        _write_rows(file, rows)
    partial.replace(path)


def _write_rows(file: TextIO, rows: Sequence[Mapping[str, float]]) -> None:
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)


def read(path: Path) -> list[Epoch]:
    """Reads what `write` wrote; nothing where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        rows = csv.DictReader(file)
        return [
            {name: float(value) for name, value in row.items() if name != "epoch"} for row in rows
        ]
