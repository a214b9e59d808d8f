"""Tar files, as `tarfile` writes them, and damaged."""

import tarfile

import pytest

from tests.archives import add, packed
from transform_module.errors import UserError
from transform_module.files.archives import member_list, tar_list
from transform_module.files.archives.archive_path import ArchivePath

FILES = {"./NORMAL/a.png": b"1" * 1000, "b.png": b"", "röntgen.png": b"2", "a" * 300: b"3"}


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_files_are_listed_and_read(tmp_path, form):
    with tarfile.open(tmp_path / "x.tar", "w", format=form) as archive:
        for name, content in FILES.items():
            add(archive, name, content)
        add(archive, "c", type=tarfile.DIRTYPE)
    archive = ArchivePath(tmp_path / "x.tar")
    found = {path.decode(): archive.inside(path).read_bytes() for path, _ in archive.files()}
    assert found == {name.removeprefix("./"): content for name, content in FILES.items()}


def test_a_name_that_is_not_utf_8_keeps_its_bytes(tmp_path):
    with tarfile.open(tmp_path / "x.tar", "w", format=tarfile.GNU_FORMAT) as archive:
        add(archive, "r\udcf6ntgen.png", b"1")
    assert list(tar_list.listed(tmp_path / "x.tar", "x.tar")) == [b"r\xf6ntgen.png"]


def test_links_and_devices_are_not_read(tmp_path):
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        add(archive, "a.png", b"123")
        add(archive, "hard.png", type=tarfile.LNKTYPE, linkname="./a.png")
        add(archive, "none.png", type=tarfile.LNKTYPE, linkname="none")
        add(archive, "out.png", type=tarfile.LNKTYPE, linkname="../../etc/passwd")
        add(archive, "soft.png", type=tarfile.SYMTYPE, linkname="/etc/passwd")
        add(archive, "device", type=tarfile.CHRTYPE)
        add(archive, "pipe", type=tarfile.FIFOTYPE)
    found = tar_list.listed(tmp_path / "x.tar", "x.tar")
    assert {name.decode(): member.problem for name, member in found.items()} == {
        "a.png": None,
        "hard.png": None,
        "none.png": member_list.LINK,
        "out.png": member_list.LINK,
        "soft.png": member_list.LINK,
        "device": member_list.NO_FILE,
        "pipe": member_list.NO_FILE,
    }
    assert (ArchivePath(tmp_path / "x.tar") / "hard.png").read_bytes() == b"123"


def test_names_that_lead_out_and_names_twice_have_a_problem(tmp_path):
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for name in ("/etc/passwd", "../a.png", "b.png", "./b.png"):
            add(archive, name, b"1")
    found = tar_list.listed(tmp_path / "x.tar", "x.tar")
    assert [each.problem for each in found.values()] == [
        member_list.OUTSIDE,
        member_list.OUTSIDE,
        member_list.TWICE,
    ]


def test_many_links_to_one_file_are_a_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(member_list, "SLACK", 0)
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        add(archive, "a", b"1" * 600_000)
        for number in range(400):
            add(archive, f"{number}", type=tarfile.LNKTYPE, linkname="a")
    with pytest.raises(UserError, match="decompression bomb"):
        tar_list.listed(tmp_path / "x.tar", "x.tar")


def test_a_damaged_archive_is_refused_and_not_taken_for_a_shorter_one(tmp_path):
    path = packed(tmp_path / "x.tar", {"a.png": b"1" * 1000, "b.png": b"2" * 1000})
    data = path.read_bytes()
    for damaged, why in (
        (data[:1000], "unexpected end of data"),
        (data[:1536], "no header, and no end, at byte 1,536"),
        (data[:1536] + b"x" * 512 + data[2048:], "no header, and no end, at byte 1,536"),
        (b"x" * 2000, ""),
        (b"", ""),
    ):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=f"x.tar cannot be read as a tar file: .*{why}"):
            tar_list.listed(path, path)


def test_a_long_extended_header_is_not_read_into_memory(tmp_path):
    path = tmp_path / "x.tar"
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 21
    path.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(info.size + 1024))
    with pytest.raises(UserError, match="a header of 2,097,152 bytes"):
        tar_list.listed(path, path)


def test_headers_without_end_are_refused(tmp_path):
    path = tmp_path / "x.tar"
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 5
    header = info.tobuf(tarfile.GNU_FORMAT) + b"name\0".ljust(512, b"\0")
    path.write_bytes(header * 5000)
    with pytest.raises(UserError, match="cannot be read as a tar file"):
        tar_list.listed(path, path)
