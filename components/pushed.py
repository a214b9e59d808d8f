"""What stands in a push folder: ``{push_dir}/{model_name}/{version}/``, each with a manifest."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

MANIFEST: Final = "manifest.json"
"""The file of a pushed version that tells what it is made of."""

_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class PushedVersion:
    """One version in a push folder.

    Attributes:
        version: The number that a server sees, greater for later pushes.
        path: The version's folder.
        manifest: The content of its ``manifest.json``, or None when there is none or it cannot be
            read. ``files`` maps each file's path within the folder to its SHA-256.
    """

    version: int
    path: Path
    manifest: dict[str, Any] | None


def versions(push_dir: str | Path, model_name: str) -> list[PushedVersion]:
    """Lists the versions of a model, the oldest first.

    Args:
        push_dir: The push folder. It need not exist.
        model_name: The model's name, which is the folder inside.

    Returns:
        What a server would see: the folders whose name is a whole number.
    """
    folder = Path(push_dir) / model_name
    if not folder.is_dir():
        return []
    paths = [path for path in folder.iterdir() if _is_version(path)]
    return [
        PushedVersion(int(path.name), path, read_manifest(path))
        for path in sorted(paths, key=lambda path: int(path.name))
    ]


def latest(push_dir: str | Path, model_name: str) -> PushedVersion | None:
    """Returns the version that a server serves: the highest, or None when nothing is pushed."""
    pushed = versions(push_dir, model_name)
    return pushed[-1] if pushed else None


def sums(path: str | Path) -> dict[str, str]:
    """Computes the SHA-256 of each file under a folder, its manifest left out.

    Args:
        path: The folder of a SavedModel or of a pushed version.

    Returns:
        Hexadecimal SHA-256 by the file's path within the folder, with ``/`` between its parts.
    """
    root = Path(path)
    return {name: _sha256(root / name) for name in sorted(_files(root)) if name != MANIFEST}


def verify(path: str | Path) -> list[str]:
    """Compares a pushed version with its manifest.

    Args:
        path: The version's folder.

    Returns:
        One sentence for each problem, naming the file: missing, changed, or not in the manifest.
        Empty when the version is whole.
    """
    root = Path(path)
    if not root.is_dir():
        return [f"{root}: the folder is missing"]
    manifest = read_manifest(root)
    if manifest is None:
        return [f"{root / MANIFEST}: the manifest is missing or cannot be read"]
    expected: dict[str, str] = manifest["files"]
    found = sums(root)
    problems = [f"{root / name}: the file is missing" for name in expected if name not in found]
    problems += [
        f"{root / name}: SHA-256 is {found[name]}, the manifest says {expected[name]}"
        for name in expected
        if name in found and found[name] != expected[name]
    ]
    problems += [
        f"{root / name}: the file is not in the manifest" for name in found if name not in expected
    ]
    return problems


def read_manifest(path: Path) -> dict[str, Any] | None:
    """Reads a version's manifest; None when there is none, or none that can be read."""
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_manifest = isinstance(manifest, dict) and isinstance(manifest.get("files"), dict)
    return manifest if is_manifest else None


def _is_version(path: Path) -> bool:
    return path.name.isascii() and path.name.isdecimal() and path.is_dir()


def _files(root: Path) -> Iterator[str]:
    return (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
