"""Facts about an image."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Image:
    """What is known of an image that decodes.

    Attributes:
        filename: path relative to the image folder, as readable text.
        folder: ``train``, ``val``, ``test``, or ``""`` where there are only class folders.
        label: one of LABELS.
        subtype: ``normal``, ``bacteria``, ``virus`` or ``unknown``.
        patient: the patient's id, None if unknown.
        sha256: of its bytes, in hexadecimal digits.
        format: ``jpeg``, ``png``, ``bmp`` or ``gif``.
        width: in pixels.
        height: in pixels.
        measures: what its pixels look like, where a group is held out by it.
        copies: what it shares with the images that it is a copy of, encoded or resized anew; empty
            where that is not known.
    """

    filename: str
    folder: str
    label: str
    subtype: str
    patient: str | None
    sha256: str
    format: str
    width: int
    height: int
    measures: Mapping[str, float] = field(default_factory=dict)
    copies: str = ""

    @property
    def content(self) -> str:
        """What it shares with its copies, also with those of the same bytes."""
        return self.copies or self.sha256
