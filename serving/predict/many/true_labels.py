"""The true labels of predicted images, by a table."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from serving.files.local_paths import place_of
from serving.images.labels import tables
from serving.images.labels.listed import WHAT, Listed, ListedImage, listed
from serving.images.labels.matching import Matching
from serving.images.settings import DatasetSettings
from serving.predict.many.prediction_table import TRUE_LABEL, Row
from transform_module.errors import UserError
from transform_module.files.place import Place


@dataclass(frozen=True)
class TrueLabels:
    """The labels of a table.

    Attributes:
        table: the file.
        listed: its images.
    """

    table: Place
    listed: Listed

    def added(self, rows: Callable[[], Iterator[Row]]) -> Iterator[Row]:
        """Returns the rows with their true labels.

        Args:
            rows: returns the rows of the predictions, from the first.

        Raises:
            UserError: the table lists none of the images, or a row of it may mean two.
        """
        matching = Matching[ListedImage](self.listed, (), f"{self.table}, line")
        matching.match(_whole(row["path"]) for row in rows())
        if all(matching.file(path) is None for path in self.listed):
            first = next((row["path"] for row in rows()), "nothing")
            raise UserError(
                f"{self.table} lists none of the images. It names an image by the end of its path; "
                f"received {next(iter(self.listed))}, and the images are such as {first}. Correct "
                "it, or leave --labels out, and repeat the command: the predictions are kept."
            )
        return (row | {TRUE_LABEL: _label(matching.row(_whole(row["path"])))} for row in rows())


def read(given: str | Place) -> TrueLabels:
    """Reads a table of labels.

    Args:
        given: its path.

    Raises:
        UserError: it is a mistake, see `listed`.
    """
    place = place_of(given, f"The {WHAT}")
    return TrueLabels(place, listed(tables.read(place, WHAT), DatasetSettings()))


def _whole(path: str) -> str:
    return path if "://" in path else os.path.abspath(path)


def _label(row: ListedImage | None) -> str | None:
    return row.label or None if row else None
