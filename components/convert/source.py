"""Checks whether a conversion is needed, by a cheap fingerprint of all that goes into it."""

import hashlib
import json
from collections.abc import Iterable

from components.code_version import code_version
from serving.files.local_paths import place_of, source_of
from serving.images.dicom.pseudonyms import pseudonyms
from serving.images.labels.labelled_files import labelled_files, tables_of
from serving.images.layout import SourceFile
from serving.images.settings import DatasetSettings
from transform_module.files.archives.archive_path import ArchivePath
from transform_module.files.source_path import Source

_CODE = "components.convert.convert"


def source_fingerprint(images: Source, settings: DatasetSettings, seed: int) -> str:
    """Fingerprints what a conversion would start from, without reading an image.

    Args:
        images: the image folder, or an archive.
        settings: the settings of the conversion.
        seed: the seed of the split.

    Returns:
        64 hexadecimal digits over path, size and time of change of every file, or of the archive,
        the settings, the tables, the key that names the patients, the seed, and the code that
        converts.

    Raises:
        UserError: there is no such folder, nothing in it is recognised, or there is no key.
    """
    images = source_of(images, "The image folder")
    # An archive that is compressed as a whole would have to be decompressed to be listed.
    files = () if isinstance(images, ArchivePath) else labelled_files(images, settings)
    return fingerprint_of(images, files, settings, seed)


def fingerprint_of(
    images: Source, files: Iterable[SourceFile], settings: DatasetSettings, seed: int
) -> str:
    """Fingerprints files that were listed already; see `source_fingerprint`."""
    tables = tables_of(settings)
    if settings.patients:
        tables.append(place_of(settings.patients, "The table of patients"))
    described = {
        "settings": settings.model_dump(),
        "tables": [_digest(table) for table in tables],
        "patient_key": pseudonyms(settings.dicom.patient_key).check,
        "seed": seed,
        "code": code_version(_CODE),
    }
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    if isinstance(images, ArchivePath):
        found = images.stat()
        listed: Iterable[list[str | int | None]] = [
            [images.name, found.st_size, found.st_mtime_ns, None]
        ]
    else:
        listed = ([file.filename, file.size, file.mtime_ns, file.problem] for file in files)
    for facts in listed:
        digest.update(f"\n{json.dumps(facts)}".encode())
    return digest.hexdigest()


def _digest(table: Source) -> str | None:
    try:
        return hashlib.sha256(table.read_bytes()).hexdigest()
    except OSError:
        # Whoever reads it says so.
        return None
