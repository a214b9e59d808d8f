"""Checks whether a conversion is needed, by a cheap fingerprint of all that goes into it."""

import functools
import hashlib
import json
from pathlib import Path

from components import text
from components.images.layout import SourceFile, scan
from components.images.settings import DatasetSettings
from transform_module import features

_PACKAGE = Path(__file__).parent
_CODE_BESIDE = ("depth.py", "features.py", "image_ops.py", "measures.py", "orientation.py")


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
        "code": _code(),
    }
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@functools.cache
def _code() -> list[list[str]]:
    beside = Path(features.__file__).parent
    paths = [
        *sorted(_PACKAGE.glob("*.py")),
        *(beside / name for name in _CODE_BESIDE),
        Path(text.__file__),
    ]
    return [[path.name, _digest(path)] for path in paths]
