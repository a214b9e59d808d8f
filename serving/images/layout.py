"""Content of an image folder: every file, with its folder and its class.

The layout is ``train|val|test/NORMAL|PNEUMONIA/**``, ``NORMAL|PNEUMONIA/train|val|test/**`` or
``NORMAL|PNEUMONIA/**``, names in any case, in the image folder or in the one folder below it that
holds it. `walks` finds the files, `folders` the layout, `passed_over` knows what else lies in such
folders.
"""

import os
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, replace
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

from serving.files.local_paths import place_of
from serving.files.spool import Spool
from serving.images import folders, passed_over
from serving.images.folders import FOLDERS, Found, Parts
from serving.images.labels.class_names import ClassNames
from serving.images.labels.known import known_layouts
from serving.images.labels.label_cells import CLASS_LEFT_OUT
from serving.images.settings import DatasetSettings
from serving.images.walks import LOOKED_AT, Entry, FolderWalk, ListWalk, walk
from transform_module.contract import LABELS
from transform_module.did_you_mean import nearest
from transform_module.errors import NothingValid, UserError
from transform_module.files.archives.archive_path import ArchivePath
from transform_module.files.source_path import Source, inside
from transform_module.text import as_text, shell_quoted

EXPECTED_LAYOUT: Final = "train|val|test/NORMAL|PNEUMONIA/..., or only NORMAL|PNEUMONIA/..."

OUTSIDE: Final = "outside the class folders"

_SHOWN = 8
_DEFAULTS: Final = DatasetSettings()

_ARCHIVE_SUFFIXES = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar"})
_TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".xlsx", ".json"})
_BY_TABLE = (
    "If a table has the labels, name it: --labels TABLE (in a configuration, dataset.labels)."
)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of an image folder.

    Attributes:
        path: relative to the image folder, in the file system's own bytes.
        folder: one of FOLDERS, or ``""``.
        label: one of LABELS, or ``""`` outside the class folders.
        size: in bytes.
        mtime_ns: time of the last change, in nanoseconds.
        readable: whether it is a regular file, whose content can be read.
        skipped: why it is counted and left alone, as a file of the system; None where it is not.
        problem: why it is not an image of the dataset, known without reading it; None where it may
            be one.
        depth: how many folders are above what is below its split and its class folder.
        subtype: the kind of pneumonia that its folder or a table names; empty where they do not.
        patient: whose it is by the table of labels; empty where that is not said.
        line: in the table of labels; 0 where it is labelled by its folder.
    """

    path: bytes
    folder: str
    label: str
    size: int = 0
    mtime_ns: int = 0
    readable: bool = False
    skipped: str | None = None
    problem: str | None = None
    depth: int = 0
    subtype: str = ""
    patient: str = ""
    line: int = 0

    def __reduce__(self) -> tuple[Any, ...]:
        # Several times as fast as the default one of a frozen class with slots.
        return SourceFile, _fields(self)

    @property
    def filename(self) -> str:
        """The path as text, see `as_text`."""
        return as_text(self.path)

    @property
    def below_class(self) -> str:
        """The path below the class folder."""
        return "/".join(self.filename.split("/")[self.depth :])


_fields = attrgetter(*SourceFile.__slots__)


def scan(images: Source, settings: DatasetSettings = _DEFAULTS) -> Spool[SourceFile]:
    """Lists every file below a folder, links followed, sorted by path. The list is on disk.

    Folders are walked and not counted, but for those that stand for a lost file: one outside the
    class folders that cannot be opened, one that a link leads back into, and an empty one that is
    named like an image.

    Args:
        images: the image folder, here or in a store, or an archive of it.
        settings: the names of the classes.

    Returns:
        One entry a file.

    Raises:
        NothingValid: there is no class folder with a file in it.
        UserError: there is no such folder, or more than one place that may be meant; a folder that
            may hold images of a class cannot be opened; or files of a class are both in and
            beside folders of splits.
    """
    names = ClassNames(settings.classes)
    images, found, entries = entries_of(images, names)
    tree = folders.Tree(found.seen, names)
    base = _base(images, tree)
    copies = _copies(tree, base)
    files = Spool[SourceFile](lambda file: file.path)
    for entry in entries:
        files.add(_placed(entry, base, names, copies, found.size))
    if not any(file.label and not file.skipped for file in files):
        raise NothingValid(_nothing_recognised(images, tree, islice(entries, LOOKED_AT)))
    _refuse_mixed(images, files)
    return files


def entries_of(
    images: Source, names: ClassNames
) -> tuple[Source, FolderWalk | ListWalk, Spool[Entry]]:
    """Lists what is below an image folder, before it is known what it means.

    Args:
        images: the image folder, or an archive of it.
        names: of the classes.

    Returns:
        The image folder, the walk through it, and the files sorted by path.

    Raises:
        UserError: there is no such folder; or a folder that may hold images cannot be opened.
    """
    if not isinstance(images, ArchivePath):
        images = place_of(images, "The image folder")
    if isinstance(images, Path) and not os.path.isdir(images):
        raise UserError(_no_folder(images))
    found = walk(images, names)
    entries = Spool[Entry](lambda entry: entry.path)
    for entry in found.entries():
        entries.add(entry)
    _refuse_closed(images, found.closed)
    return images, found, entries


def _base(images: Source, tree: folders.Tree) -> Parts:
    """Finds the folder that holds the class folders."""
    bases = tree.bases()
    if len(bases) > 1:
        shown = ", ".join("/".join(base) for base in bases[:_SHOWN])
        raise UserError(
            f"{images} holds {len(bases)} folders with class folders, and none itself: {shown}"
            f"{', ...' if len(bases) > _SHOWN else ''}. Name the one that is meant, or put their "
            "class folders into one."
        )
    return bases[0] if bases else ()


def _copies(tree: folders.Tree, base: Parts) -> tuple[Parts, ...]:
    return tuple(inner for inner in tree.inner_bases(base) if inner != base)


def _placed(
    entry: Entry,
    base: Parts,
    names: ClassNames,
    copies: Sequence[Parts],
    size: Callable[[bytes], int | None],
) -> SourceFile:
    """Finds where in the layout a file is, and what that makes of it."""
    raw = entry.path.split(b"/")
    parts = tuple(as_text(part) for part in raw)
    found = folders.place(parts[:-1], base, names)
    file = SourceFile(
        entry.path,
        found.folder,
        found.label,
        entry.size,
        entry.mtime_ns,
        entry.readable,
        entry.skipped,
        entry.problem,
        found.depth,
        found.subtype,
    )
    if file.skipped:
        return file
    if found.is_left_out:
        return replace(file, skipped=CLASS_LEFT_OUT)
    inner = next((copy for copy in copies if parts[: len(copy)] == copy), None)
    if inner is not None:
        outer = b"/".join((*raw[: len(base)], *raw[len(inner) :]))
        if size(outer) == entry.size:
            return replace(file, skipped=passed_over.COPY)
    if derived := _derived(parts, found):
        return replace(file, skipped=derived)
    if file.problem is None:
        return replace(file, problem=_misplaced(found))
    return file


def _derived(parts: Parts, found: Found) -> str | None:
    """Why a file was made of an image: a mask, a thumbnail."""
    above = parts[found.depth : -1] if found.label else parts[:-1]
    in_folder = next(filter(None, map(passed_over.derived_folder, above)), None)
    if found.label:
        return in_folder or passed_over.derived_file(parts[-1])
    return in_folder


def _misplaced(found: Found) -> str | None:
    if found.is_twice_split:
        return "inside folders of two splits: which of them is meant cannot be known"
    return None if found.label else f"{OUTSIDE}: expected {EXPECTED_LAYOUT}"


def _no_folder(images: Path) -> str:
    try:
        os.stat(images)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        why = (error.strerror or "unknown error").lower()
        return f"The image folder {images} cannot be opened: {why}."
    except ValueError:
        return "The image folder's path has a character that no path can have."
    if os.path.isfile(images):
        suffix = images.suffix.lower()
        advice = "Give the folder that holds the class folders."
        if suffix in _ARCHIVE_SUFFIXES:
            advice = "Unpack the archive, and give the folder that it holds."
        elif suffix in _TABLE_SUFFIXES:
            advice = (
                "Give the folder of the images, and the table beside it: --labels "
                f"{shell_quoted(str(images))}"
            )
        return f"{images} is a file. {advice}"
    beside = (each.name for each in images.parent.glob("*") if each.is_dir())
    near = nearest(images.name, beside)
    advice = f" Did you mean {images.parent / near}?" if near else ""
    return f"No image folder at {images}.{advice} Expected a folder with {EXPECTED_LAYOUT}."


def _refuse_closed(images: Source, closed: Sequence[tuple[bytes, str]]) -> None:
    if not closed:
        return
    relative, why = min(closed)
    place = inside(images, relative) if relative else images
    more = f" ({len(closed) - 1:,} more like it)" if len(closed) > 1 else ""
    raise UserError(
        f"The image folder {place} cannot be opened: {why.lower()}{more}. It may hold any "
        "number of images. Allow reading it (chmod -R u+rX), or move it out of the image folder."
    )


def _refuse_mixed(images: Source, files: Iterable[SourceFile]) -> None:
    """Stops where some files of the class folders are in folders of splits, and some do not."""
    inside = beside = 0
    examples: dict[bool, str] = {}
    for file in files:
        if not file.label or file.skipped or file.problem is not None:
            continue
        # A split below its class folder: with the class folder's own path no file has a split.
        if file.folder and not _is_class_first(file):
            continue
        inside += bool(file.folder)
        beside += not file.folder
        examples.setdefault(bool(file.folder), file.filename)
    if inside and beside:
        raise UserError(
            f"In {images} {inside:,} files are in folders of splits below their class folders, "
            f"such as {examples[True]}, and {beside:,} beside them, such as {examples[False]}: "
            "which split these belong to cannot be known. Put all into folders of splits, or none."
        )


def _is_class_first(file: SourceFile) -> bool:
    parts = file.filename.split("/")
    return folders.split_of(parts[file.depth - 1]) is not None


def _nothing_recognised(images: Source, tree: folders.Tree, entries: Iterable[Entry]) -> str:
    paths = {tuple(map(as_text, entry.path.split(b"/"))) for entry in entries}
    within, found = _topmost_names(set(tree.folders), paths)
    shown = ", ".join(found[:_SHOWN]) + (", ..." if len(found) > _SHOWN else "")
    message = (
        f"{images} holds no images in class folders. Expected {EXPECTED_LAYOUT}. "
        f"Found{' in ' if within else ''}{'/'.join(within)}: {shown or 'nothing'}."
    )
    if inside := tree.below_splits():
        classes = set[str]().union(*inside.values())
        message += (
            f" Below {', '.join(folder for folder in FOLDERS if folder in inside)}: "
            f"{', '.join(sorted(classes))}."
        )
    else:
        classes = {name for name in found if (*within, name) in tree.folders}
    if tree.names.label_of(images.name):
        return f"{message} Did you mean the folder above, {images.parent}?"
    suffixes = {Path(name).suffix.lower() for name in found}
    if known := known_layouts.recognised(found):
        message += f" The tables are those of {known}: --layout {known} (dataset.layout)."
    elif suffixes & _TABLE_SUFFIXES:
        message += f" {_BY_TABLE}"
    if suffixes & _ARCHIVE_SUFFIXES:
        message += " Give an archive by itself (zip, tar), or unpack the archives."
    # One folder alone is not a class beside another.
    return message + (_how_to_name(classes, tree.names) if len(classes) > 1 else "")


def unnamed(files: Iterable[SourceFile], settings: DatasetSettings) -> str:
    """Returns what to write where folders beside those of the classes hold files, or nothing."""
    found = set()
    for file in files:
        parts = file.filename.split("/")
        if not file.label and not file.skipped and len(parts) > file.depth + 1:
            found.add(parts[file.depth])
    return _how_to_name(found, ClassNames(settings.classes))


def _how_to_name(found: Iterable[str], names: ClassNames) -> str:
    classes = sorted(name for name in found if not folders.is_of_layout(name, names))
    if not 0 < len(classes) <= _SHOWN:
        return ""
    return (
        f" Folders that may be classes: {', '.join(classes)}. Rename them to "
        f"{' and '.join(LABELS)}, or write under which of these each is: "
        f"{names.proposal(classes)} (in a configuration, dataset.classes)."
    )


def _topmost_names(inner: Set[Parts], files: Set[Parts]) -> tuple[Parts, list[str]]:
    """Finds what lies in the image folder, or in the folder that is all there is in it.

    Returns:
        The folder's path in the image folder, and the names in it, sorted.
    """
    within: Parts = ()
    while True:
        depth = len(within)
        names = sorted(
            {path[depth] for path in inner | files if path[:depth] == within and path[depth:]}
        )
        if len(names) != 1 or (*within, names[0]) not in inner:
            return within, names
        within = (*within, names[0])
