"""Zip files, as `zipfile` and other tools write them, and damaged."""

import io
import struct
import warnings
import zipfile
import zlib

import pytest

from tests.archives import packed
from transform_module.errors import UserError
from transform_module.files.archives import member_list, zip_list
from transform_module.files.archives.archive_path import ArchivePath

FILES = {"NORMAL/a.png": b"1" * 1000, "b.png": b"", "c/": b"", "d.txt": bytes(range(256))}


def written(path, *infos, content=b"123", before=b"", after=b""):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for info in infos:
            archive.writestr(info, content)
    path.write_bytes(before + file.getvalue() + after)
    return path


def problems(path):
    return {name: member.problem for name, member in zip_list.listed(path).items()}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("before", [b"", b"#!/bin/sh\n"])
def test_files_are_listed_and_read(tmp_path, method, before):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.comment = b"PK\x05\x06 is how it ends"
        for name, content in FILES.items():
            archive.writestr(name, content)
    (tmp_path / "x.zip").write_bytes(before + file.getvalue())
    archive = ArchivePath(tmp_path / "x.zip")
    found = {path.decode(): archive.inside(path).read_bytes() for path, _ in archive.files()}
    assert found == {name: content for name, content in FILES.items() if name != "c/"}


def test_zip64_is_read(tmp_path, monkeypatch):
    # Limits so low make `zipfile` write the fields of zip64.
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    path = packed(tmp_path / "x.zip", {"a.png": b"12345", "b.png": b"678"})
    monkeypatch.undo()
    assert b"PK\x06\x07" in path.read_bytes()
    archive = ArchivePath(path)
    assert {name: archive.inside(name).read_bytes() for name, _ in archive.files()} == {
        b"a.png": b"12345",
        b"b.png": b"678",
    }


def test_a_file_without_members_is_empty(tmp_path):
    assert zip_list.listed(written(tmp_path / "x.zip")) == {}


def named(raw, flags=0, system=0, extra=b""):
    """A member whose name is in these bytes."""
    info = zipfile.ZipInfo("x" * len(raw))
    info.create_system, info.extra = system, extra
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(info, b"123")
    data = file.getvalue().replace(b"x" * len(raw), raw)
    at = data.index(b"PK\x01\x02") + 8
    return data[:at] + struct.pack("<H", flags) + data[at + 2 :]


UNICODE = "röntgen.png".encode()


@pytest.mark.parametrize(
    ("raw", "options", "path"),
    [
        (b"r\x94ntgen.png", {}, UNICODE),  # Code page 437, as DOS writes it.
        (UNICODE, {"flags": 1 << 11}, UNICODE),
        (UNICODE, {}, UNICODE),  # As macOS writes it.
        (b"r\xf6ntgen.png", {"flags": 1 << 11}, b"r\xf6ntgen.png"),
        (
            b"r_ntgen.png",
            {
                "extra": struct.pack(
                    "<2HBL", 0x7075, 5 + len(UNICODE), 1, zlib.crc32(b"r_ntgen.png")
                )
                + UNICODE
            },
            UNICODE,
        ),
        (b"NORMAL\\a.png", {}, b"NORMAL/a.png"),
        (b"NORMAL\\a.png", {"system": 3}, b"NORMAL\\a.png"),
    ],
)
def test_names_are_those_that_tools_unpack(tmp_path, raw, options, path):
    (tmp_path / "x.zip").write_bytes(named(raw, **options))
    archive = ArchivePath(tmp_path / "x.zip")
    assert [name for name, _ in archive.files()] == [path]
    assert archive.inside(path).read_bytes() == b"123"


def test_backslashes_lead_nowhere(tmp_path):
    (tmp_path / "x.zip").write_bytes(named(b"..\\..\\a.png"))
    assert problems(tmp_path / "x.zip") == {b"../../a.png": member_list.OUTSIDE}


@pytest.mark.parametrize(
    ("mode", "problem"),
    [
        (0o120777, member_list.LINK),
        (0o020666, member_list.NO_FILE),
        (0o010666, member_list.NO_FILE),
        (0o100644, None),
        (0, None),
    ],
)
def test_links_and_devices_are_not_read(tmp_path, mode, problem):
    info = zipfile.ZipInfo("a.png")
    info.create_system, info.external_attr = 3, mode << 16
    path = written(tmp_path / "x.zip", info, content=b"/etc/passwd")
    assert problems(path) == {b"a.png": problem}
    if problem:
        with pytest.raises(OSError, match=problem):
            (ArchivePath(path) / "a.png").read_bytes()


@pytest.mark.parametrize("bit", [0, 6, 13])
def test_encrypted_members_are_named_so(tmp_path, bit):
    (tmp_path / "x.zip").write_bytes(named(b"a.png", flags=1 << bit))
    assert problems(tmp_path / "x.zip") == {b"a.png": member_list.ENCRYPTED}


@pytest.mark.parametrize(
    ("method", "problem"),
    [
        (9, "packed with Deflate64, which is not read: pack it with Deflate"),
        (14, "packed with LZMA, which is not read: pack it with Deflate"),
        (50, "packed with method 50, which is not read: pack it with Deflate"),
        (99, member_list.ENCRYPTED),
    ],
)
def test_other_methods_are_named(tmp_path, method, problem):
    data = named(b"a.png")
    at = data.index(b"PK\x01\x02") + 10
    (tmp_path / "x.zip").write_bytes(data[:at] + struct.pack("<H", method) + data[at + 2 :])
    assert problems(tmp_path / "x.zip") == {b"a.png": problem}


def test_one_name_twice_is_read_not_once(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = written(tmp_path / "x.zip", "a.png", "b.png", "a.png")
    assert problems(path) == {b"a.png": member_list.TWICE, b"b.png": None}


def end_with(data, offset, value):
    at = data.index(b"PK\x05\x06") + offset
    return data[:at] + struct.pack("<H", value) + data[at + 2 :]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:-30], "its end is missing, as in a copy that is incomplete"),
        (lambda data: data[len(data) // 2 :], "its end is missing or damaged"),
        (lambda data: b"<html>", "its end is missing"),
        (lambda data: b"", "its end is missing"),
        (lambda data: end_with(data, 4, 2), "one part of several, which are not read: join"),
        (lambda data: end_with(end_with(data, 8, 3), 10, 3), "lists 2 members, and its end 3"),
        (lambda data: data.replace(b"PK\x01\x02", b"PK\x01\x03", 1), "damaged or encrypted"),
    ],
)
def test_a_damaged_archive_is_refused_in_a_sentence(tmp_path, damage, message):
    path = packed(tmp_path / "x.zip", {"a.png": b"1" * 50, "b.png": b"2" * 50})
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=f"x.zip cannot be read as a zip file: .*{message}"):
        zip_list.listed(path)
