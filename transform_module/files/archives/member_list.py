"""Members of an archive: their names, made safe, and the limits of reading them. Pure."""

import re
from typing import Final, NamedTuple

from transform_module.errors import UserError
from transform_module.text import count

MEMBERS: Final = 500_000
"""An archive with more members is refused: its list is held in memory, some 300 bytes a member."""

RATIO: Final = 250
"""An archive whose members unpack to more than this many times its size is refused: a bomb.

Images hardly shrink when they are packed: raw ones of 16 bits to a third. DEFLATE shrinks nothing
to less than 1/1,032 (zlib's technical details), bzip2 and xz do.
"""

SLACK: Final = 64 << 20
"""So many bytes an archive may unpack to, however small it is."""

LONGEST: Final = 4096
DEEPEST: Final = 64

OUTSIDE: Final = "its path in the archive is absolute or leads out of it: pack relative paths"
UNUSUAL: Final = (
    f"its path in the archive cannot be one of a file: empty, with a zero byte, longer than "
    f"{LONGEST:,} bytes, or deeper than {DEEPEST} folders"
)
TWICE: Final = "its path is in the archive more than once: which file is meant cannot be known"
LINK: Final = "a link in an archive, which is not followed: pack the file itself"
SPARSE: Final = "a sparse file in an archive, which is not read: pack it without --sparse"
NO_FILE: Final = "no regular file: a pipe or device in an archive"
ENCRYPTED: Final = "encrypted in the archive: pack it without a password"
NAMELESS: Final = b"(no name)"

_DRIVE: Final = re.compile(rb"[A-Za-z]:/")


class Member(NamedTuple):
    """A file in an archive.

    Attributes:
        start: where its header in a zip file, or its content in a tar file, begins.
        packed: its bytes in the archive.
        size: its bytes, as the archive declares.
        deflated: whether it is compressed with DEFLATE.
        crc: its CRC-32; None in a tar file, which has none.
        problem: why it is not read.
    """

    start: int
    packed: int
    size: int
    deflated: bool = False
    crc: int | None = None
    problem: str | None = None


class Members:
    """The members of an archive by their paths, which may be any bytes.

    Attributes:
        found: the members, by path; those that cannot be read, too.
    """

    def __init__(self, archive: object, size: int) -> None:
        """Begins an empty list.

        Args:
            archive: as messages name it.
            size: its size in bytes.
        """
        self.found: dict[bytes, Member] = {}
        self._archive = archive
        self._most = RATIO * size + SLACK
        self._size = size
        self._listed = 0
        self._total = 0

    def add(self, name: bytes, member: Member) -> None:
        """Adds a member.

        Raises:
            UserError: the archive has too many, or declares too many bytes.
        """
        self._listed += 1
        self._total += member.size
        if self._listed > MEMBERS:
            raise UserError(
                f"{self._archive} has more than {MEMBERS:,} members, which is the limit of an "
                "archive. Unpack it, and give the folder."
            )
        if self._total > self._most:
            raise UserError(bomb(self._archive, self._size))
        path, problem = safe(name)
        if problem:
            member = member._replace(problem=problem)
        if path in self.found:
            member = member._replace(problem=TWICE)
        self.found[path] = member

    def linked(self, name: bytes) -> Member | None:
        """Returns the member of a name that a hard link leads to; None where there is none."""
        path, problem = safe(name)
        return None if problem else self.found.get(path)


def bomb(archive: object, size: int) -> str:
    """Returns the refusal of an archive that is a decompression bomb.

    Args:
        archive: the archive.
        size: its size in bytes.
    """
    return (
        f"{archive} would unpack to more than {RATIO} times its size of {count(size, 'byte')} "
        f"(and more than {SLACK >> 20} MiB): a decompression bomb, so it is not read. If it is as "
        "it should be, unpack it, and give the folder."
    )


def safe(name: bytes) -> tuple[bytes, str | None]:
    """Returns the path in an archive that a name means, and what is wrong with it.

    Args:
        name: as in the archive, with ``/`` between its parts.

    Returns:
        The path without ``.`` and empty parts, and None; or the name as far as it can be shown, and
        why it is not read.
    """
    parts = [part for part in name.split(b"/") if part not in (b"", b".")]
    path = b"/".join(parts)
    if not path or b"\0" in name or len(name) > LONGEST or len(parts) > DEEPEST:
        return b"/".join(parts[-2:]).replace(b"\0", b"\\0")[-LONGEST:] or NAMELESS, UNUSUAL
    if name.startswith(b"/"):
        # Another path than the relative one.
        return b"/" + path, OUTSIDE
    if _DRIVE.match(name) or b".." in parts:
        return path, OUTSIDE
    return path, None
