import contextlib
import io
import os
import pickle
import tarfile
import uuid
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.archives import KINDS, add, packed
from tests.s3_store import BUCKET
from transform_module.errors import UserError
from transform_module.files.archives.archive_path import ArchivePath, is_named_as_archive
from transform_module.files.store_path import StorePath

FILES = {"NORMAL/a.png": b"1" * 3000, "NORMAL/b.png": bytes(range(256)), "c.png": b""}


def test_the_parts_of_a_path():
    path = ArchivePath(Path("data/x.zip")) / "NORMAL" / "a.png"
    assert (path.name, path.suffix, str(path)) == ("a.png", ".png", "data/x.zip/NORMAL/a.png")
    assert str(path.parent) == "data/x.zip/NORMAL"
    assert ArchivePath(Path("data/x.zip")).parent == Path("data")
    assert ArchivePath(Path("data/x.zip")).name == "x.zip"
    assert str(Path("/here") / path) == "/here/data/x.zip/NORMAL/a.png"
    assert path.absolute().archive == Path.cwd() / "data/x.zip"
    assert pickle.loads(pickle.dumps(path)) == path


@pytest.mark.parametrize("name", ["x.zip", "X.ZIP", "a b.tar", *(f"x.{kind}" for kind in KINDS)])
def test_archives_are_known_by_their_names(name):
    assert is_named_as_archive(name)


@pytest.mark.parametrize("name", ["zip", "x.zip.txt", "x.gz", "x.7z", "x.rar", "chest_xray"])
def test_other_files_are_none(name):
    assert not is_named_as_archive(name)


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_files_are_looked_up(tmp_path, kind):
    archive = ArchivePath(packed(tmp_path / f"x.{kind}", FILES))
    os.utime(archive.archive, ns=(5, 5))
    found = (archive / "NORMAL" / "a.png").stat()
    assert (found.st_size, found.st_mtime_ns) == (3000, 5)
    assert (archive / "c.png").exists()
    assert not (archive / "NORMAL").exists()
    for read in ((archive / "none").read_bytes, (archive / "NORMAL").stat):
        with pytest.raises(FileNotFoundError):
            read()
    with pytest.raises(ValueError, match="not as w"), (archive / "c.png").open("w"):
        pass


def test_an_archive_that_changes_is_listed_anew(tmp_path):
    path = packed(tmp_path / "x.zip", {"a": b"1"})
    archive = ArchivePath(path)
    assert [name for name, _ in archive.files()] == [b"a"]
    packed(path, {"b": b"23"})
    assert [name for name, _ in archive.files()] == [b"b"]
    path.unlink()
    with pytest.raises(UserError, match=r"x\.zip cannot be read: no such file"):
        list(archive.files())


def test_what_cannot_be_read_one_by_one_says_what_to_do(tmp_path):
    archive = ArchivePath(packed(tmp_path / "x.tar.bz2", FILES))
    with pytest.raises(UserError, match=r"compressed as a whole.*bzip2 -dk .*/x\.tar\.bz2$"):
        list(archive.files())
    (tmp_path / "x.tgz").write_bytes(b"<html>")
    with pytest.raises(UserError, match="is neither a zip file nor a tar file"):
        list(ArchivePath(tmp_path / "x.tgz").files())


def test_a_zip_file_in_a_store_is_read_by_ranges(tmp_path, store):
    place = StorePath(f"s3://{BUCKET}/{uuid.uuid4().hex}")
    for kind in ("zip", "tar"):
        with (place / f"x.{kind}").open("wb") as file:
            file.write(packed(tmp_path / f"x.{kind}", FILES).read_bytes())
    archive = ArchivePath(place / "x.zip")
    found = {name.decode(): archive.inside(name).read_bytes() for name, _ in archive.files()}
    assert found == FILES
    assert Path("/here") / archive == archive
    with pytest.raises(UserError, match="is a tar file in a store"):
        list(ArchivePath(place / "x.tar").files())


NAMES = st.lists(
    st.sampled_from(["..", ".", "", "NORMAL", "a.png", "é", "C:", "\\", "a\nb"]), max_size=5
).map("/".join)

KINDS_OF_MEMBERS = st.sampled_from(
    [
        tarfile.REGTYPE,
        tarfile.AREGTYPE,
        tarfile.LNKTYPE,
        tarfile.SYMTYPE,
        tarfile.DIRTYPE,
        tarfile.CHRTYPE,
        tarfile.FIFOTYPE,
        tarfile.GNUTYPE_SPARSE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.XHDTYPE,
        b"Z",
    ]
)


@st.composite
def hostile(draw):
    """A zip or tar file with odd members, then with bytes changed, and cut off."""
    file = io.BytesIO()
    is_zip = draw(st.booleans())
    some = draw(
        st.lists(st.tuples(NAMES, KINDS_OF_MEMBERS, st.binary(max_size=600), NAMES), max_size=5)
    )
    if is_zip:
        with warnings.catch_warnings(), zipfile.ZipFile(file, "w") as archive:
            warnings.simplefilter("ignore")
            for name, _, content, _ in some:
                info = zipfile.ZipInfo(name)
                info.external_attr = draw(st.sampled_from([0, 0o120777 << 16, 0o60000 << 16]))
                info.compress_type = draw(st.sampled_from([0, 8, 12]))
                archive.writestr(info, content)
    else:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for name, kind, content, target in some:
                add(archive, name, content, type=kind, linkname=target)
    data = bytearray(file.getvalue())
    where = st.integers(0, max(0, len(data) - 1))
    for at, value in draw(st.lists(st.tuples(where, st.integers(0, 255)), max_size=4)):
        data[at : at + 1] = bytes([value])
    length = draw(st.one_of(st.just(len(data)), st.integers(0, len(data))))
    return bytes(data[:length]), is_zip


@settings(max_examples=400, deadline=None)
@given(hostile())
def test_a_hostile_archive_is_refused_or_read_as_it_declares(tmp_path_factory, made):
    data, is_zip = made
    folder = tmp_path_factory.mktemp("hostile")
    path = folder / ("x.zip" if is_zip else "x.tar")
    path.write_bytes(data)
    archive = ArchivePath(path)
    try:
        found = dict(archive.files())
    except UserError:
        pass
    else:
        for name, member in found.items():
            parts = name.split(b"/")
            assert member.problem or not {b"", b".", b".."} & set(parts)
            try:
                content = archive.inside(name).read_bytes()
            except OSError:
                continue
            assert member.problem is None
            assert len(content) == member.size
    assert os.listdir(folder) == [path.name]


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10_240), st.booleans())
def test_an_archive_that_is_cut_off_never_has_fewer_files(tmp_path_factory, length, is_zip):
    path = tmp_path_factory.mktemp("cut") / ("x.zip" if is_zip else "x.tar")
    whole = dict(ArchivePath(packed(path, FILES)).files())
    path.write_bytes(path.read_bytes()[:length])
    with contextlib.suppress(UserError):
        assert dict(ArchivePath(path).files()) == whole
