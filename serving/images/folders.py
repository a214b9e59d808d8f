"""The names of a layout's folders, and where among a tree of folders the layout is. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from serving.images.passed_over import derived_folder
from transform_module.contract import LABELS

FOLDERS: Final = ("train", "val", "test")
"""The folders that may be above the class folders; without them a file's folder is ``""``."""

_SPLIT_NAMES: Final = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "validate": "val",
    "dev": "val",
    "eval": "val",
    "test": "test",
    "testing": "test",
}
"""What people call the folders, in lower case, and which of FOLDERS each is."""

ALSO_SPLITS: Final = "also training, valid, validation, dev, eval, testing"

Parts = tuple[str, ...]
"""A path's parts."""


def split_of(name: str) -> str | None:
    """Returns which of FOLDERS a folder's name stands for."""
    return _SPLIT_NAMES.get(name.strip().lower())


def label_of(name: str) -> str | None:
    """Returns which of LABELS a folder's name stands for."""
    label = name.strip().upper()
    return label if label in LABELS else None


def is_of_layout(name: str) -> bool:
    """Returns whether a folder's name is that of a split or a class."""
    return split_of(name) is not None or label_of(name) is not None


class Found(NamedTuple):
    """Where in the layout a file is.

    Attributes:
        folder: one of FOLDERS, or ``""``.
        label: one of LABELS, or ``""``.
        depth: how many of its folders belong to the layout.
        is_twice_split: whether a folder of a split is both above and below its class folder.
    """

    folder: str = ""
    label: str = ""
    depth: int = 0
    is_twice_split: bool = False


def place(parents: Parts, base: Parts) -> Found:
    """Finds where in the layout a file is.

    Args:
        parents: the file's folders.
        base: the folder that holds the layout.
    """
    if parents[: len(base)] != base:
        return Found()
    rest = list(parents[len(base) :])
    folder = split_of(rest[0]) if rest else None
    if folder:
        rest.pop(0)
    label = label_of(rest[0]) if rest else None
    if label:
        rest.pop(0)
        below = split_of(rest[0]) if rest else None
        if below and folder:
            return Found(folder, label, len(parents) - len(rest), is_twice_split=below != folder)
        if below:
            rest.pop(0)
            folder = below
    return Found(folder or "", label or "", len(parents) - len(rest))


@dataclass(frozen=True)
class Tree:
    """A tree of folders.

    Attributes:
        folders: the path of each, with those above it.
    """

    folders: Sequence[Parts]

    def bases(self) -> list[Parts]:
        """Returns the topmost folders that hold a layout, sorted."""
        return _topmost(self._bases())

    def inner_bases(self, base: Parts) -> list[Parts]:
        """Returns the folders beside a layout's own that hold a layout too, as a second copy."""
        return _topmost(
            parts
            for parts in self._bases()
            if parts[: len(base)] == base
            and len(parts) > len(base)
            and not is_of_layout(parts[len(base)])
        )

    def below_splits(self) -> dict[str, set[str]]:
        """Returns the names of the folders in each folder of a split, where there are any."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for parts in self.folders:
            if len(parts) == 2 and (split := split_of(parts[0])):
                found[split].add(parts[1])
        return dict(found)

    def _bases(self) -> Iterator[Parts]:
        """Finds the folders above those of a class, or above those of a split that hold one."""
        for parts in self.folders:
            if not parts or not label_of(parts[-1]) or any(map(derived_folder, parts)):
                continue
            yield parts[:-1]
            if len(parts) > 1 and split_of(parts[-2]):
                yield parts[:-2]


def _topmost(found: Iterable[Parts]) -> list[Parts]:
    """Keeps the folders that lie in none of the others, the highest first."""
    kept: list[Parts] = []
    for parts in sorted(set(found), key=lambda parts: (len(parts), parts)):
        if not any(parts[: len(other)] == other for other in kept):
            kept.append(parts)
    return kept
