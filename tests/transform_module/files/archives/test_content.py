import struct
import zipfile
import zlib

import pytest

from tests.archives import packed
from transform_module.files.archives.archive_path import ArchivePath
from transform_module.files.archives.content import Content
from transform_module.files.archives.member_list import Member

DATA = bytes(range(256)) * 40_000


def test_a_large_member_is_read_piece_by_piece(tmp_path):
    for kind in ("zip", "tar"):
        path = ArchivePath(packed(tmp_path / f"x.{kind}", {"a": DATA})) / "a"
        with path.open() as content:
            pieces = list(iter(lambda: content.read(1_000_003), b""))
        assert b"".join(pieces) == DATA
        assert max(map(len, pieces)) <= 1_000_003
        assert path.read_range(5_000_000, 10) == DATA[5_000_000:5_000_010]
        assert path.read_range(len(DATA) - 2, 10) == DATA[-2:]


def declared(path, offset, value):
    """Changes a number of the only member, in the directory of a zip file."""
    data = path.read_bytes()
    at = data.index(b"PK\x01\x02") + offset
    path.write_bytes(data[:at] + struct.pack("<L", value) + data[at + 4 :])


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize(
    ("offset", "value", "reason"),
    [
        (24, 10, "more than the 10 bytes that are declared"),
        (24, 3000, "1,000 of the 3,000 bytes that are declared"),
        (16, 7, "it differs from its checksum"),
        (42, 5, "no member where its directory lists it"),
    ],
)
def test_what_differs_from_its_declaration_is_not_read(tmp_path, method, offset, value, reason):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a", b"1" * 1000)
    declared(path, offset, value)
    with pytest.raises(OSError, match=reason):
        (ArchivePath(path) / "a").read_bytes()


def test_a_bomb_is_not_unpacked_beyond_what_it_declares(tmp_path):
    path = tmp_path / "x.zip"
    bomb = zlib.compress(bytes(200 << 20), wbits=-15)
    path.write_bytes(b"PK\x03\x04" + bytes(26) + bomb)
    content = Content(path, Member(0, len(bomb), 1000, deflated=True, crc=0))
    with pytest.raises(OSError, match="more than the 1,000 bytes"):
        content.read()
    # One piece at most was unpacked.
    assert content._left.nbytes <= 4 << 20


def test_a_member_that_cannot_be_unpacked_is_damaged(tmp_path):
    path = tmp_path / "x.zip"
    path.write_bytes(b"PK\x03\x04" + bytes(26) + b"\xff" * 100)
    for member, reason in (
        (Member(0, 100, 100, deflated=True, crc=0), "it cannot be unpacked"),
        (Member(0, 200, 200, crc=0), "the archive ends within it"),
        (Member(900, 10, 10), "the archive ends within it"),
    ):
        with pytest.raises(OSError, match=reason):
            Content(path, member).read()
