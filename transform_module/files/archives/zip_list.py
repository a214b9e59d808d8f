"""The members of a zip file, by its central directory (PKWARE's APPNOTE.TXT 6.3.10).

`zipfile` holds all of a directory before anything can be checked, stops at one name that is not the
UTF-8 that its flag promises, and returns others in an encoding that no tool unpacks them in.
"""

import errno
import itertools
import stat
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Final

from transform_module.errors import UserError
from transform_module.files.archives import member_list
from transform_module.files.archives.member_list import Member, Members
from transform_module.files.place import Place, read_range

SIGNATURES: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
"""A zip file begins with its first member, its end where it has none, or the mark of a part."""

# Section 4.3.16, the end of the central directory, after a comment of at most 65,535 bytes.
_END: Final = struct.Struct("<4s4H2LH")
_END_SIGNATURE: Final = b"PK\x05\x06"
# 4.3.15 and 4.3.14, of zip64.
_LOCATOR: Final = struct.Struct("<4sLQL")
_LOCATOR_SIGNATURE: Final = b"PK\x06\x07"
_END_64: Final = struct.Struct("<4sQ2H2L4Q")
_END_64_SIGNATURE: Final = b"PK\x06\x06"
# 4.3.12, of one member.
_ENTRY: Final = struct.Struct("<4s2B5H3L5H2L")
_ENTRY_SIGNATURE: Final = b"PK\x01\x02"
# 4.3.7, before a member's content.
_HEADER: Final = struct.Struct("<4s5H3L2H")
_HEADER_SIGNATURE: Final = b"PK\x03\x04"

_MANY: Final = 0xFFFF
_LARGE: Final = 0xFFFFFFFF

_STORED: Final = 0
_DEFLATED: Final = 8
_METHODS: Final = {
    1: "Shrink",
    6: "Implode",
    9: "Deflate64",
    12: "bzip2",
    14: "LZMA",
    93: "Zstandard",
    95: "xz",
    98: "PPMd",
}
_AES: Final = 99

# Section 4.4.4: encrypted, in part or as a whole; a name in UTF-8.
_ENCRYPTED: Final = 1 << 0 | 1 << 6 | 1 << 13
_UTF_8: Final = 1 << 11

# Section 4.4.2: systems whose attributes have the mode of a file above the 16 bits of DOS, and
# those that know paths with backslashes.
_UNIX: Final = (3, 19)
_WINDOWS: Final = (0, 10, 14)

# Sections 4.5.3 and 4.6.9: the fields of zip64, and Info-ZIP's of a name in UTF-8.
_FIELD_64: Final = 0x0001
_FIELD_NAME: Final = 0x7075

_READ: Final = 1 << 20

_SPLIT: Final = (
    "it is one part of several, which are not read: join them first, such as with "
    "`zip -s 0 parts.zip --out whole.zip`"
)


class _Damaged(Exception):
    """What is wrong with the directory."""


def listed(archive: Place) -> dict[bytes, Member]:
    """Lists the files in a zip file, by path.

    Raises:
        OSError: it cannot be read.
        UserError: it is damaged, incomplete, split, encrypted as a whole, or a bomb.
    """
    size = archive.stat().st_size
    found = Members(archive, size)
    try:
        for name, member in _entries(archive, size):
            found.add(name, member)
    except (_Damaged, struct.error) as error:
        raise UserError(
            f"{archive} cannot be read as a zip file: {error}. Copy or download it again, or "
            "unpack it, and give the folder."
        ) from error
    return found.found


def content_start(archive: Place, member: Member) -> int:
    """Returns where the content of a member begins.

    Raises:
        OSError: its header cannot be read, or there is none.
    """
    head = read_range(archive, member.start, _HEADER.size)
    if len(head) < _HEADER.size or not head.startswith(_HEADER_SIGNATURE):
        raise OSError(errno.EIO, "the zip file has no member where its directory lists it")
    *_, name, extra = _HEADER.unpack(head)
    return member.start + _HEADER.size + int(name) + int(extra)


def _entries(archive: Place, size: int) -> Iterator[tuple[bytes, Member]]:
    end, number, length, start = _directory(archive, size)
    # What was put before a zip file, such as a program that unpacks it, shifts all of it.
    shift = end - length - start
    if shift < 0:
        raise _Damaged("its end is missing or damaged, as in a copy that is incomplete")
    position, read = start + shift, 0
    ahead, at = b"", 0
    while position < end:
        if len(ahead) - at < min(end - position, _ENTRY.size + 3 * _MANY):
            ahead, at = read_range(archive, position, min(end - position, _READ)), 0
        entry, used = _entry(ahead, at, shift)
        at += used
        position += used
        read += 1
        if entry:
            yield entry
    # Where it is not of zip64, the number is that of its lowest bits.
    if read != number and (read & _MANY) != number:
        raise _Damaged(f"its directory lists {read:,} members, and its end {number:,}")


def _directory(archive: Place, size: int) -> tuple[int, int, int, int]:
    """Returns where the directory ends, its members, its length, and its declared start."""
    tail_start = max(0, size - _END.size - _MANY)
    tail = read_range(archive, tail_start, size - tail_start)
    # The comment may hold what looks like an end: the last one whose comment fits is it.
    at = len(tail) - _END.size
    while (at := tail.rfind(_END_SIGNATURE, 0, max(0, at + 4))) >= 0:
        if at + _END.size <= len(tail):
            end = _END.unpack_from(tail, at)
            if at + _END.size + end[-1] <= len(tail):
                break
        at -= 1
    else:
        raise _Damaged("its end is missing, as in a copy that is incomplete or a part of several")
    _, disk, first_disk, here, number, length, start, _ = end
    position = tail_start + at
    if at >= _LOCATOR.size and tail[at - _LOCATOR.size :].startswith(_LOCATOR_SIGNATURE):
        return _directory_64(archive, position - _LOCATOR.size)
    if (disk, first_disk) != (0, 0) or here != number:
        raise _Damaged(_SPLIT)
    if _MANY in (disk, number) and _LARGE in (length, start):
        raise _Damaged("the end of zip64 is missing")
    return position, number, length, start


def _directory_64(archive: Place, locator: int) -> tuple[int, int, int, int]:
    _, disk, offset, disks = _LOCATOR.unpack(read_range(archive, locator, _LOCATOR.size))
    if disk != 0 or disks > 1:
        raise _Damaged(_SPLIT)
    # Right before its locator, but for data of later versions; what was put before shifts it.
    for position in (locator - _END_64.size, offset):
        if not 0 <= position <= locator - _END_64.size:
            continue
        found = _END_64.unpack(read_range(archive, position, _END_64.size))
        if found[0] == _END_64_SIGNATURE:
            _, _, _, _, disk, first_disk, here, number, length, start = found
            if (disk, first_disk) != (0, 0) or here != number:
                raise _Damaged(_SPLIT)
            return position, number, length, start
    raise _Damaged("the end of zip64 is missing")


def _entry(ahead: bytes, at: int, shift: int) -> tuple[tuple[bytes, Member] | None, int]:
    """Returns a member with its name, None of a folder; and the bytes that its entry has."""
    if not ahead.startswith(_ENTRY_SIGNATURE, at):
        raise _Damaged("its directory is damaged or encrypted")
    _, _, system, _, flags, method, _, _, crc, packed, size, *lengths, disk, _, mode, start = (
        _ENTRY.unpack_from(ahead, at)
    )
    ends = list(itertools.accumulate(lengths, initial=at + _ENTRY.size))
    if len(ahead) < ends[-1]:
        raise _Damaged("its directory is cut off")
    name, extra = ahead[ends[0] : ends[1]], dict(_fields(ahead[ends[1] : ends[2]]))
    if wide := extra.get(_FIELD_64):
        values = iter(struct.unpack(f"<{len(wide) // 8}Q", wide[: len(wide) // 8 * 8]))
        size, packed, start = (
            next(values, each) if each == _LARGE else each for each in (size, packed, start)
        )
    if disk not in (0, _MANY):
        raise _Damaged(_SPLIT)
    name = _name(name, extra, flags)
    if system in _WINDOWS and b"/" not in name:
        name = name.replace(b"\\", b"/")
    if name.endswith(b"/"):
        return None, ends[-1] - at
    problem = _problem(flags, method, mode >> 16 if system in _UNIX else 0)
    member = Member(start + shift, packed, size, method == _DEFLATED, crc, problem)
    return (name, member), ends[-1] - at


def _fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<2H", extra)
        yield kind, extra[4 : 4 + length]
        extra = extra[4 + length :]


def _name(name: bytes, extra: Mapping[int, bytes], flags: int) -> bytes:
    """Returns a name in UTF-8, as the tools of its system unpack it."""
    field = extra.get(_FIELD_NAME, b"")
    # One whose sum is another's was left by a tool that renamed the member.
    if field[:5] == b"\x01" + zlib.crc32(name).to_bytes(4, "little"):
        return field[5:]
    if flags & _UTF_8 or _is_utf_8(name):
        # macOS writes UTF-8 without the flag.
        return name
    return name.decode("cp437").encode()


def _is_utf_8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def _problem(flags: int, method: int, mode: int) -> str | None:
    """Returns why a member is not read."""
    if flags & _ENCRYPTED or method == _AES:
        return member_list.ENCRYPTED
    kind = stat.S_IFMT(mode)
    if kind == stat.S_IFLNK:
        return member_list.LINK
    if kind not in (0, stat.S_IFREG):
        return member_list.NO_FILE
    if method not in (_STORED, _DEFLATED):
        named = _METHODS.get(method, f"method {method}")
        return f"packed with {named}, which is not read: pack it with Deflate"
    return None
