"""A dataset's counts as rows for a table."""

from typing import Final, NamedTuple

from serving.images.dataset import Dataset, FolderCount

COLUMNS: Final = (
    "folder",
    "class",
    "in",
    "train",
    "eval",
    "test",
    "quarantined",
    "skipped",
    "dropped",
)
"""In every row, ``in`` is the sum of all the columns to its right."""


class Row(NamedTuple):
    """One row: the folder and the class of the files, and where they went."""

    folder: str
    label: str
    read: int
    train: int
    eval: int
    test: int
    quarantined: int
    skipped: int
    dropped: int


def rows(dataset: Dataset) -> list[Row]:
    """Makes one row for each folder and class, and a last one with the totals.

    Args:
        dataset: a converted dataset.

    Returns:
        The rows, their values in the order of COLUMNS.
    """
    body = [_row(count) for count in dataset.folders]
    totals = [sum(column) for column in zip(*(row[2:] for row in body), strict=True)]
    return [*body, Row("total", "", *totals)]


def _row(count: FolderCount) -> Row:
    return Row(
        count.folder or "-",
        count.label or "(outside)",
        count.read,
        count.train,
        count.eval,
        count.test,
        count.quarantined,
        count.skipped,
        count.dropped,
    )
