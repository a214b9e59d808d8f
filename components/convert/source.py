"""Checks whether a conversion is needed, by a cheap fingerprint of all that goes into it."""

import hashlib
import json
from pathlib import Path

from components.code_version import code_version
from serving.images.layout import SourceFile, scan
from serving.images.settings import DatasetSettings

_CODE = "components.convert.convert"


def source_fingerprint(images: Path, settings: DatasetSettings, seed: int) -> str:
    """Fingerprints what a conversion would start from, without reading an image.

    Args:
        images: the image folder.
        settings: the settings of the conversion.
        seed: the seed of the split.

    Returns:
        64 hexadecimal digits over path, size and time of change of every file, the settings, the
        table of patients, the seed, and the code that converts.

    Raises:
        UserError: there is no such folder, or nothing in it is recognised.
    """
    return fingerprint_of(scan(images), settings, seed)


def fingerprint_of(files: list[SourceFile], settings: DatasetSettings, seed: int) -> str:
    """Fingerprints files that were listed already; see `source_fingerprint`."""
    table = Path(settings.patients) if settings.patients else None
    described = {
        "files": [[file.filename, file.size, file.mtime_ns, file.problem] for file in files],
        "settings": settings.model_dump(),
        "patients": _digest(table) if table and table.is_file() else None,
        "seed": seed,
        "code": code_version(_CODE),
    }
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
