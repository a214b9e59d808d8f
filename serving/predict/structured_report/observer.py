"""The model as the device that observes."""

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from serving.versions import pushed
from transform_module.files.sums import digest

MANUFACTURER: Final = "chest-xray-pipeline"

_LONGEST: Final = 64
"""Characters of a long string in DICOM (LO: PS3.5, section 6.2)."""


@dataclass(frozen=True)
class Observer:
    """A model, as reports name it.

    Attributes:
        name: of the model, at most 64 characters of ASCII, as any character set has them.
        version: the number that it was pushed as, or its folder's name; as ``name``.
        digest: hexadecimal SHA-256 of its files, as its manifest lists them.
        threshold: the label is PNEUMONIA from this probability on; None where its record has none.
    """

    name: str
    version: str
    digest: str
    threshold: float | None

    @property
    def uid(self) -> str:
        """The device's UID: the same wherever this model is, and another for another model.

        It is derived from a name-based UUID (DICOM PS3.5, section B.2; RFC 9562, section 5.5).
        """
        return f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, f'urn:sha256:{self.digest}').int}"


def find(version: Path, record: dict[str, Any]) -> Observer:
    """Identifies a model.

    Args:
        version: its folder, see `serving.model.find_version`.
        record: its own record.

    Raises:
        OSError: a file of it cannot be read.
    """
    folder = version.absolute()
    manifest = pushed.read_manifest(version) or {"files": pushed.sums(version)}
    return Observer(
        name=_long_string(manifest.get("name", folder.parent.name)),
        version=_long_string(str(manifest.get("version", folder.name))),
        digest=digest(manifest["files"]),
        threshold=record.get("threshold"),
    )


def _long_string(text: str) -> str:
    """A backslash would separate two values."""
    return text.encode("ascii", "replace").decode().replace("\\", "?")[:_LONGEST] or "?"
