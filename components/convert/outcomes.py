"""What is known of each file, from its listing to its place in a split. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final

from serving.images.layout import SourceFile
from serving.images.patient_names import Patient
from serving.images.patients import subtype

NO_COPY: Final = -1
"""Of an image that is a copy of no other."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One file: what was read, and where it went: to a split, to quarantine, skipped or dropped.

    Attributes:
        file: the file.
        index: its position among all files, by path.
        owner: whose image it is by its name, a pattern or a table; None if unknown.
        sha256: of its bytes in hexadecimal digits, empty where they were not read.
        format: of the file, see `formats.NAMES`, where its image decodes, else empty.
        width: in pixels, upright.
        height: in pixels, upright.
        unused_bits: the high bits that none of its 16-bit samples uses.
        bits: of each sample, as the file stores it.
        colours: see `decode_check.Decoded`.
        view: such as ``PA``, where it is known, else empty.
        measures: what its pixels look like, see `transform_module.images.measures`.
        findings: what was corrected in it, or is doubtful, each with a number by which examples
            are chosen, the least first.
        copies: shared by the images that are copies of one another; NO_COPY without.
        quarantined: why it is quarantined.
        example: ``typical`` or ``odd`` and the order among these, of the few images that are most
            so in their class.
        patient: the id that its joined patients share, where it is good.
        stands_for_patient: whether it is the one image that its patient is counted by, among those
            of its class, subtype and place.
        split: the split that its record is written to.
    """

    file: SourceFile
    index: int = 0
    owner: Patient | None = None
    sha256: str = ""
    format: str = ""
    width: int = 0
    height: int = 0
    unused_bits: int = 0
    bits: int = 0
    colours: str = ""
    view: str = ""
    measures: Mapping[str, float] = field(default_factory=dict)
    findings: tuple[tuple[str, float], ...] = ()
    copies: int = NO_COPY
    quarantined: str | None = None
    example: tuple[str, float] | None = None
    patient: str | None = None
    stands_for_patient: bool = False
    split: str | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        # Several times as fast as the default one of a frozen class with slots.
        return Outcome, _fields(self)

    @property
    def label(self) -> str:
        """Its class."""
        return self.file.label

    @property
    def subtype(self) -> str:
        """``normal``, ``bacteria``, ``virus``, or as its folder is named; or ``unknown``."""
        name = self.file.filename.rsplit("/", 1)[-1]
        return subtype(self.file.label, name, self.file.subtype)

    @property
    def is_to_be_read(self) -> bool:
        """Whether its content decides about it, or is at least summed up."""
        return self.file.readable and self.file.skipped is None

    @property
    def is_valid(self) -> bool:
        """Whether it is a good image, wherever it went."""
        return self.quarantined is None and self.file.skipped is None

    @property
    def place(self) -> str:
        """The column of FolderCount that the file is counted in."""
        if self.file.skipped:
            return "skipped"
        if self.quarantined:
            return "quarantined"
        return self.split or "dropped"


_fields = attrgetter(*Outcome.__slots__)
