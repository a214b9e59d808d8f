"""Archives made for tests, of files by their paths."""

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

KINDS = ("zip", "tar", "tgz", "tar.gz", "tar.bz2", "tar.xz")

_MODES = {"tar": "w", "tgz": "w:gz", "tar.gz": "w:gz", "tar.bz2": "w:bz2", "tar.xz": "w:xz"}


def packed(path: Path, files: Mapping[str, bytes]) -> Path:
    """Writes an archive of the kind that its name says."""
    kind = path.name.partition(".")[2]
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return path
    with tarfile.open(path, _MODES[kind]) as archive:
        for name, content in files.items():
            add(archive, name, content)
    return path


def add(archive: tarfile.TarFile, name: str, content: bytes = b"", **known: object) -> None:
    """Adds a member to a tar file, with attributes of `tarfile.TarInfo`."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for attribute, value in known.items():
        setattr(info, attribute, value)
    archive.addfile(info, io.BytesIO(content))
