import bz2
import gzip
import lzma

import pytest

from tests.archives import KINDS, packed
from tests.s3_store import BUCKET
from transform_module.errors import UserError
from transform_module.files.archives import decompression
from transform_module.files.archives.archive_path import ArchivePath
from transform_module.files.archives.decompression import NAME, decompressed
from transform_module.files.store_path import StorePath

FILES = {"NORMAL/a.png": bytes(range(256)) * 10_000, "b.png": b"1"}
COMPRESSED = [kind for kind in KINDS if kind not in ("zip", "tar")]


@pytest.mark.parametrize("kind", COMPRESSED)
def test_its_files_are_read_from_the_uncompressed_file(tmp_path, kind):
    archive = decompressed(ArchivePath(packed(tmp_path / f"x.{kind}", FILES)), tmp_path)
    found = {path.decode(): archive.inside(path).read_bytes() for path, _ in archive.files()}
    assert found == FILES
    assert str(archive / "b.png") == f"{tmp_path}/x.{kind}/b.png"
    assert (tmp_path / NAME).is_file()


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_nothing_is_written_where_each_file_can_be_read(tmp_path, kind):
    archive = ArchivePath(packed(tmp_path / f"x.{kind}", FILES))
    assert decompressed(archive, tmp_path) is archive
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_several_streams_are_one_file(tmp_path, compress):
    tar = packed(tmp_path / "x.tar", FILES).read_bytes()
    middle = len(tar) // 2
    (tmp_path / "x.tgz").write_bytes(compress(tar[:middle]) + compress(tar[middle:]))
    decompressed(ArchivePath(tmp_path / "x.tgz"), tmp_path)
    assert (tmp_path / NAME).read_bytes() == tar


@pytest.mark.parametrize("kind", COMPRESSED)
def test_a_damaged_one_is_refused(tmp_path, kind):
    path = packed(tmp_path / f"x.{kind}", FILES)
    data = path.read_bytes()
    middle = len(data) // 2
    for damaged in (data[:middle], data[:-1], data[:middle] + b"\0" * 40 + data[middle + 40 :]):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=f"x.{kind} cannot be decompressed: .*or incomplete"):
            decompressed(ArchivePath(path), tmp_path)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch, compress):
    monkeypatch.setattr(decompression, "SLACK", 1 << 20)
    (tmp_path / "x.tgz").write_bytes(compress(bytes(50 << 20)))
    with pytest.raises(UserError, match=r"more than 250 times its size of .* decompression bomb"):
        decompressed(ArchivePath(tmp_path / "x.tgz"), tmp_path)
    assert (tmp_path / NAME).stat().st_size < 30 << 20


def test_xz_may_not_take_any_amount_of_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(decompression, "_XZ_MEMORY", 1 << 20)
    path = packed(tmp_path / "x.tar.xz", FILES)
    with pytest.raises(UserError, match="cannot be decompressed: Memory usage limit"):
        decompressed(ArchivePath(path), tmp_path)


def test_a_folder_in_a_store_takes_none(tmp_path):
    archive = ArchivePath(packed(tmp_path / "x.tgz", FILES))
    with pytest.raises(UserError, match="both it and the output are on this machine"):
        decompressed(archive, StorePath(f"s3://{BUCKET}/folder"))
