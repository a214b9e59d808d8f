"""Choice of a folder's files that are shown to a network."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from serving.images.folders import split_of
from serving.predict import files as predict
from transform_module import contract
from transform_module.errors import NothingValid, UserError

if TYPE_CHECKING:
    from serving.images.settings import DatasetSettings

REPRESENTATIVE: Final = 256
"""So many images set the ranges of an 8-bit network; more change them little."""

COMPARED: Final = 2000
"""By so many images at most the files are compared: each is evaluated one at a time."""


@dataclass(frozen=True)
class Choice:
    """Files that are shown to a network.

    Attributes:
        folder: what the user named.
        part: the folder in it that they are of, such as ``train``; empty where they are of all.
        files: the files.
        labels: 0 or 1 for each file; None where the folder has no classes.
        of: how many files that part holds.
        undecodable: how many of the chosen were left out since, because they are not images.
    """

    folder: Path
    part: str
    files: tuple[Path, ...]
    labels: tuple[int, ...] | None
    of: int
    undecodable: int = 0

    def only(self, decoded: Sequence[Path]) -> "Choice":
        """Leaves out the files that are not images."""
        labels = None
        if self.labels is not None:
            label_of = dict(zip(self.files, self.labels, strict=True))
            labels = tuple(label_of[file] for file in decoded)
        left_out = len(self.files) - len(decoded)
        return replace(self, files=tuple(decoded), labels=labels, undecodable=left_out)

    def described(self) -> dict[str, str | int]:
        """What the record says of them."""
        where = f"{self.folder}/{self.part}" if self.part else str(self.folder)
        return {
            "folder": where,
            "files": len(self.files),
            "of": self.of,
            "undecodable": self.undecodable,
            "chosen": "by hash",
        }


def representative(folder: Path) -> Choice:
    """Chooses from a folder of any layout; what is in ``test`` is never taken.

    Raises:
        UserError: there is no such folder, or no file in it.
    """
    if not os.path.isdir(folder):
        raise UserError(f"There is no folder of images at {folder}.")
    found = list(predict.files(folder))
    if not found:
        raise NothingValid(f"There is no file in {folder}.")
    parts = {name: _below(folder, name, found) for name in ("train", "test")}
    if parts["train"]:
        return _choose(folder, "train", parts["train"], REPRESENTATIVE)
    left = [file for file in found if file not in set(parts["test"])]
    if not left:
        raise UserError(f"{folder} holds nothing but test images, which are for evaluation alone.")
    return _choose(folder, "", left, REPRESENTATIVE)


def held_out(folder: Path, settings: "DatasetSettings | None" = None) -> Choice:
    """Chooses from a folder with NORMAL and PNEUMONIA: those of ``test``, where there is one.

    Args:
        folder: as `cxr convert` takes it.
        settings: what the classes are called, and which table has the labels.

    Raises:
        UserError: there is no such folder, or it does not hold both classes.
    """
    # Imported here: the help of `cxr export` needs the names of this module's callers alone.
    from serving.images.labels.labelled_files import labelled_files
    from serving.images.settings import DatasetSettings

    files = [
        file
        for file in labelled_files(folder, settings or DatasetSettings())
        if file.label and not file.skipped and not file.problem
    ]
    part = contract.TEST if any(file.folder == contract.TEST for file in files) else ""
    labels = {
        folder / os.fsdecode(file.path): file.label for file in files if part in ("", file.folder)
    }
    missing = sorted(set(contract.LABELS) - set(labels.values()))
    if missing:
        raise UserError(
            f"{folder / part} holds no {' and no '.join(missing)}: both classes are needed to "
            "compare the files by AUC."
        )
    return _choose(folder, part, list(labels), COMPARED, labels)


def _below(folder: Path, name: str, files: Sequence[Path]) -> list[Path]:
    return [
        file
        for file in files
        if any(split_of(part) == name for part in file.relative_to(folder).parts[:-1])
    ]


def _choose(
    folder: Path,
    part: str,
    files: Sequence[Path],
    at_most: int,
    labels: dict[Path, str] | None = None,
) -> Choice:
    def place(file: Path) -> bytes:
        return hashlib.sha256(os.fsencode(file.relative_to(folder))).digest()

    chosen = tuple(sorted(files, key=place)[:at_most])
    numbers = tuple(contract.LABELS.index(labels[file]) for file in chosen) if labels else None
    return Choice(folder, part, chosen, numbers, len(files))
