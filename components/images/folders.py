"""The names of a layout's folders, and where among a tree of folders the layout is. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from components.images.passed_over import derived_folder
from transform_module.features import LABELS

FOLDERS: Final = ("train", "val", "test")
"""The folders that may stand above the class folders; without them a file's folder is ``""``."""

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
    """Where in the layout a file stands.

    Attributes:
        folder: one of FOLDERS, or ``""``.
        label: one of LABELS, or ``""``.
        depth: how many of its folders belong to the layout.
        is_twice_split: whether a folder of a split stands both above and below its class folder.
    """

    folder: str = ""
    label: str = ""
    depth: int = 0
    is_twice_split: bool = False


def place(parents: Parts, base: Parts) -> Found:
    """Finds where in the layout a file stands.

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
        children: the names of the folders in each folder.
    """

    children: Mapping[Parts, frozenset[str]]

    @classmethod
    def of(cls, seen: Iterable[Parts]) -> "Tree":
        """Makes a tree of the paths of all its folders."""
        children: defaultdict[Parts, set[str]] = defaultdict(set)
        for parts in seen:
            children[parts] |= set()
            if parts:
                children[parts[:-1]].add(parts[-1])
        return cls({parts: frozenset(names) for parts, names in children.items()})

    def bases(self) -> list[Parts]:
        """Returns the topmost folders that hold a layout, sorted."""
        found: list[Parts] = []
        for parts in sorted(self.children, key=lambda parts: (len(parts), parts)):
            is_below = any(parts[: len(other)] == other for other in found)
            if not is_below and self._is_base(parts) and not any(map(derived_folder, parts)):
                found.append(parts)
        return found

    def inner_bases(self, base: Parts) -> list[Parts]:
        """Returns the folders beside a layout's own that hold a layout too, as a second copy."""
        inner = {
            parts: names
            for parts, names in self.children.items()
            if parts[: len(base)] == base
            and len(parts) > len(base)
            and not is_of_layout(parts[len(base)])
        }
        return Tree(inner).bases()

    def below_splits(self) -> dict[str, frozenset[str]]:
        """Returns the names of the folders in each folder of a split, where there are any."""
        return {
            split: self.children[parts]
            for parts in self.children
            if len(parts) == 1 and (split := split_of(parts[0])) and self.children[parts]
        }

    def _is_base(self, parts: Parts) -> bool:
        return any(
            label_of(name)
            or (split_of(name) and any(map(label_of, self.children.get((*parts, name), ()))))
            for name in self.children[parts]
        )
