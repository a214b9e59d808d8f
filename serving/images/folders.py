"""The names of a layout's folders, and where among a tree of folders the layout is. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from serving.images.labels.class_names import UNDERSTOOD, ClassNames
from serving.images.passed_over import derived_folder

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


def is_of_layout(name: str, names: ClassNames) -> bool:
    """Returns whether a folder's name is that of a split or a class."""
    return split_of(name) is not None or names.meaning(name) is not None


class Found(NamedTuple):
    """Where in the layout a file is.

    Attributes:
        folder: one of FOLDERS, or ``""``.
        label: one of LABELS, or ``""``.
        depth: how many of its folders belong to the layout.
        is_twice_split: whether a folder of a split is both above and below its class folder.
        subtype: the kind of pneumonia that its class folder, or one below that, is named by.
        is_left_out: whether it is in a folder whose images are left out.
    """

    folder: str = ""
    label: str = ""
    depth: int = 0
    is_twice_split: bool = False
    subtype: str = ""
    is_left_out: bool = False


def place(parents: Parts, base: Parts, names: ClassNames = UNDERSTOOD) -> Found:
    """Finds where in the layout a file is.

    Args:
        parents: the file's folders.
        base: the folder that holds the layout.
        names: of the classes.
    """
    if parents[: len(base)] != base:
        return Found()
    rest = list(parents[len(base) :])
    folder = split_of(rest[0]) if rest else None
    if folder:
        rest.pop(0)
    meaning = names.meaning(rest[0]) if rest else None
    if meaning is None:
        return Found(folder or "", "", len(parents) - len(rest))
    label = meaning.label
    rest.pop(0)
    below = split_of(rest[0]) if rest else None
    if below and not folder:
        rest.pop(0)
    # Numbers below a class are of patients or studies.
    inner = [found for part in rest if not part.isdigit() and (found := names.meaning(part))]
    return Found(
        folder or below or "",
        label,
        len(parents) - len(rest),
        is_twice_split=bool(folder and below and folder != below),
        subtype=next(
            (found.subtype for found in inner if found.subtype and found.label == label),
            meaning.subtype,
        ),
        is_left_out=not all(found.label for found in (meaning, *inner)),
    )


@dataclass(frozen=True)
class Tree:
    """A tree of folders.

    Attributes:
        folders: the path of each, with those above it.
        names: of the classes.
    """

    folders: Sequence[Parts]
    names: ClassNames = UNDERSTOOD

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
            and not is_of_layout(parts[len(base)], self.names)
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
            if not parts or not self.names.is_certain(parts[-1]):
                continue
            if any(map(derived_folder, parts)):
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
