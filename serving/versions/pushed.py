"""Content of a push folder: ``{push_dir}/{model_name}/{version}/``, each with a manifest."""

import json
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Final

from serving.versions import rolled_back, signature
from serving.versions.signature import SIGNATURE, Trust
from transform_module.errors import UserError
from transform_module.files.sums import differences, digest, mode_of
from transform_module.files.sums import sums as sums_of

MANIFEST: Final = "manifest.json"
"""The file of a pushed version that lists its files."""

SAVED_MODEL: Final = "saved_model.pb"
"""The file of a version that servers take as the sign that it can be loaded."""

_READ: Final = (
    SAVED_MODEL,
    "saved_model.cpb",
    "saved_model.pbtxt",
    "fingerprint.pb",
    "assets",
    "assets.extra",
    "debug",
    "variables",
)

MAXIMUM_VERSION: Final = 2**63 - 1
"""The highest version: servers hold it as an int64, as do TensorFlow Serving's messages."""

# TensorFlow Serving also reads 0, -1 and 007 as numbers; nothing is pushed under such a name.
_VERSION: Final = re.compile("[1-9][0-9]*")


@dataclass(frozen=True)
class PushedVersion:
    """One version in a push folder.

    Attributes:
        version: the number that a server sees, greater for later pushes.
        path: the version's folder.
    """

    version: int
    path: Path

    @cached_property
    def manifest(self) -> dict[str, Any] | None:
        """The content of its ``manifest.json``; None as `read_manifest`.

        ``files`` maps each file's path within the folder to its SHA-256.
        """
        return read_manifest(self.path)


@dataclass(frozen=True)
class Newest:
    """The newest whole version in a push folder.

    Attributes:
        version: it, or None where there is none.
        broken: of each newer version that is not whole, the latest first, a sentence that names the
            file.
    """

    version: PushedVersion | None
    broken: tuple[str, ...] = ()


def version_number(name: str) -> int | None:
    """Reads the name of a version's folder: a positive int64 without leading zeros, or None."""
    number = int(name) if _VERSION.fullmatch(name) and len(name) < 20 else 0
    return number if 0 < number <= MAXIMUM_VERSION else None


def versions(push_dir: str | Path, model_name: str) -> list[PushedVersion]:
    """Lists the versions of a model, the oldest first.

    Args:
        push_dir: the push folder. It need not exist.
        model_name: the model's name, which is the folder inside.

    Returns:
        The folders whose name is a version's number, whole or not.

    Raises:
        OSError: the folder is there and cannot be read.
    """
    folder = Path(push_dir) / model_name
    try:
        paths = list(folder.iterdir())
    except FileNotFoundError:
        return []
    numbers = {path: version_number(path.name) for path in paths}
    return sorted(
        (
            PushedVersion(number, path)
            for path, number in numbers.items()
            if number and stat.S_ISDIR(mode_of(path))
        ),
        key=lambda each: each.version,
    )


def latest(push_dir: str | Path, model_name: str) -> PushedVersion | None:
    """Returns the highest version, whole or not, or None when there is none."""
    pushed = versions(push_dir, model_name)
    return pushed[-1] if pushed else None


def newest(push_dir: str | Path, model_name: str) -> Newest:
    """Finds the newest whole version: a broken one hides no older one.

    What others put beside a version's files makes it no other model. Below a broken version a model
    that was rolled back is found only where no other is whole.

    Raises:
        OSError: a file is there and cannot be read.
        UserError: the newest is broken, and the list of what was rolled back is, too.
    """
    broken: list[str] = []
    for version in by_preference(versions(push_dir, model_name)):
        problems = verify(version.path)
        if not problems:
            return Newest(version, tuple(broken))
        broken.append(problems[0])
    return Newest(None, tuple(broken))


def by_preference(versions: Sequence[PushedVersion]) -> Iterator[PushedVersion]:
    """Yields the newest version, then the older ones that take its place where it is broken.

    Args:
        versions: of one model, the oldest first.

    Yields:
        The newest first; below it, those that hold a model which was rolled back come last.

    Raises:
        OSError: a file is there and cannot be read.
        UserError: the list of the models that were rolled back is damaged.
    """
    if not versions:
        return
    newest, *older = reversed(versions)
    yield newest
    left = {each.digest for each in rolled_back.read(newest.path.parent)}

    def was_left(version: PushedVersion) -> bool:
        return bool(left and version.manifest and digest(version.manifest["files"]) in left)

    yield from sorted(older, key=was_left)


def chosen(found: Newest, folder: str) -> PushedVersion | None:
    """Returns the version to compare with, or None where nothing is pushed.

    Raises:
        UserError: versions are there, and none of them is whole.
    """
    if found.version is None and found.broken:
        raise UserError(
            f"{found.broken[0]}. No version in {folder} is whole, so that a new model would be "
            "compared with none. Restore a version, or remove what is broken, and run again."
        )
    return found.version


def sums(path: str | Path) -> dict[str, str]:
    """Computes the SHA-256 of each file under a folder, without its manifest and signature.

    Args:
        path: the folder of a SavedModel or of a pushed version.

    Returns:
        Hexadecimal SHA-256 by the file's path within the folder, with ``/`` between its parts.

    Raises:
        OSError: a file cannot be read.
    """
    own = (MANIFEST, SIGNATURE)
    return {name: value for name, value in sums_of(path).items() if name not in own}


def verify(path: str | Path) -> list[str]:
    """Compares a pushed version with its manifest; verifies its signature where one is required.

    The manifest finds damage and a version that was renamed or put under another model's name. It
    proves no origin: who can write the folder can write a manifest, too. A signature does; it is
    required where `signature.VERIFY_KEY` is set.

    What was added is a problem where something that loads models may read it. A note or a
    `.DS_Store` beside the files makes it no other model: a server loads the version, and a new
    model is compared with it.

    Args:
        path: the version's folder. A copy elsewhere, whose name is not a version's number, is
            compared by its files alone.

    Returns:
        One sentence for each problem, naming the file: missing, changed, or added; the number or
        the name that is not the manifest's; or the signature. Empty when the version is whole.

    Raises:
        OSError: a file is there and cannot be read, so that nothing is known.
        UserError: the environment names no key that signatures can be verified with.
    """
    trust = signature.required()
    # The signature first: where the manifest itself was changed, its sums blame other files.
    return (verify_signature(path, trust) if trust else []) or verify_sums(path)


def verify_sums(path: str | Path) -> list[str]:
    """Compares a pushed version with its manifest, as `verify` does, signed or not."""
    root = Path(path)
    if not stat.S_ISDIR(mode_of(root)):
        return [f"{root}: the folder is missing"]
    manifest = read_manifest(root)
    if manifest is None:
        return [f"{root / MANIFEST}: the manifest is missing or cannot be read"]
    files, found = manifest["files"], sums(root)
    found = {name: value for name, value in found.items() if name in files or _is_read(name)}
    problems = [f"{root}/{each}" for each in differences(files, found, "the manifest")]
    return problems or _misplaced(root, manifest)


def verify_signature(path: str | Path, trust: Trust) -> list[str]:
    """Verifies the signature of a version: the files that it lists, and no others.

    Args:
        path: the version's folder.
        trust: whose signature it must be.

    Returns:
        As `verify`.
    """
    root = Path(path)
    manifest = read_manifest(root)
    if manifest is None:
        return verify_sums(root)
    if not {"name", "version", "files"} <= manifest.keys():
        # A signature on it would hold under any name and number.
        return [f"{root / MANIFEST}: it has no name or no version, so that no signature counts"]
    return signature.problems(root, {*manifest["files"], MANIFEST}, trust)


def read_manifest(path: Path) -> dict[str, Any] | None:
    """Reads a version's manifest; None when there is none, or the file is not a manifest.

    Raises:
        OSError: the file is there and cannot be read.
    """
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
        return None
    files = manifest.get("files") if isinstance(manifest, dict) else None
    is_manifest = isinstance(files, dict) and all(map(_is_inside, files))
    return manifest if is_manifest else None


def _is_read(name: str) -> bool:
    """Returns whether something that loads a SavedModel may read a file of this name in it."""
    path = PurePosixPath(name)
    return path.parts[0] in _READ and not path.name.startswith(".")


def _is_inside(name: str) -> bool:
    """Returns whether the name of a file leads nowhere out of the folder."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _misplaced(root: Path, manifest: dict[str, Any]) -> list[str]:
    """Returns what is wrong with the number or the name that a version is under now."""
    # A link is a name, too: servers take its number, and a folder of versions may be one.
    named, real = Path(os.path.abspath(root)), root.resolve()
    number = version_number(named.name) or version_number(real.name)
    name = named.parent.name
    if number is None:
        return []
    # Manifests of earlier releases hold no name.
    was = (manifest.get("name", name), manifest.get("version", number))
    if was[1] == number and was[0] in (name, real.parent.name):
        return []
    return [
        f"{root}: it was pushed as {was[0]}/{was[1]}, and is now {name}/{number}; a version is "
        "never renamed: to publish it anew, roll back to it (cxr rollback --to)"
    ]
