"""Checks whether a conversion is needed, by a cheap fingerprint of all that goes into it."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from components.code_version import code_version
from serving.images.dicom.pseudonyms import pseudonyms
from serving.images.layout import SourceFile, scan
from serving.images.settings import DatasetSettings
from transform_module.files.place import Place

_CODE = "components.convert.convert"


def source_fingerprint(images: Place, settings: DatasetSettings, seed: int) -> str:
    """Fingerprints what a conversion would start from, without reading an image.

    Args:
        images: the image folder.
        settings: the settings of the conversion.
        seed: the seed of the split.

    Returns:
        64 hexadecimal digits over path, size and time of change of every file, the settings, the
        table of patients, the key that names them, the seed, and the code that converts.

    Raises:
        UserError: there is no such folder, nothing in it is recognised, or there is no key.
    """
    return fingerprint_of(scan(images), settings, seed)


def fingerprint_of(files: Iterable[SourceFile], settings: DatasetSettings, seed: int) -> str:
    """Fingerprints files that were listed already; see `source_fingerprint`."""
    table = Path(settings.patients) if settings.patients else None
    described = {
        "settings": settings.model_dump(),
        "patients": _digest(table) if table and table.is_file() else None,
        "patient_key": pseudonyms(settings.dicom.patient_key).check,
        "seed": seed,
        "code": code_version(_CODE),
    }
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    for file in files:
        facts = [file.filename, file.size, file.mtime_ns, file.problem]
        digest.update(f"\n{json.dumps(facts)}".encode())
    return digest.hexdigest()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
