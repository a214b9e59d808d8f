"""What is known of how a public dataset keeps its labels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from serving.images.labels import views
from serving.images.labels.listed import Listed
from serving.images.labels.tables import Table
from serving.images.settings import DatasetSettings


@dataclass(frozen=True)
class TableName:
    """A table of a dataset.

    Attributes:
        role: its key for `KnownLayout.read`.
        names: of its file, of which one is expected; each may end in ``.gz``, too.
        is_required: whether the labels cannot be read without it.
    """

    role: str
    names: tuple[str, ...]
    is_required: bool = True


@dataclass(frozen=True)
class KnownLayout:
    """How a dataset keeps its labels.

    Attributes:
        tables: those that are read; the first may be named by the user.
        read: returns the images that the tables list. It gets those that are there, by role.
    """

    tables: tuple[TableName, ...]
    read: Callable[[Mapping[str, Table], DatasetSettings], Listed]


def left_out_by_view(view: str, settings: DatasetSettings) -> str:
    """Returns why an image is left out by its view; empty where it is frontal, or all are kept."""
    if settings.lateral == "keep" or views.is_frontal(view):
        return ""
    return views.LATERAL if views.is_lateral(view) else views.OTHER_VIEW
