"""Against a store that speaks S3 (moto's), with its faults, and one of TensorFlow's."""

import errno
import pickle
import uuid
from pathlib import Path

import pytest

from tests import s3_store
from tests.object_store import new_place
from tests.s3_store import BUCKET
from transform_module.errors import UserError
from transform_module.files import s3
from transform_module.files.store_path import StorePath


@pytest.fixture(params=["s3", "minio", "ram"])
def folder(request, store):
    if request.param == "ram":
        return StorePath(f"{new_place()}/folder")
    return StorePath(f"{request.param}://{BUCKET}/{uuid.uuid4().hex}")


def test_the_parts_of_a_path():
    path = StorePath("s3://bucket/a b/c.tar.gz")
    assert (path.name, path.suffix, str(path)) == ("c.tar.gz", ".gz", "s3://bucket/a b/c.tar.gz")
    assert path.with_name("d") == StorePath("s3://bucket/a b") / "d" == path.parent / "d"
    assert [str(each) for each in path.parents] == ["s3://bucket/a b", "s3://bucket"]
    assert Path("/here") / path == path.absolute() == path.resolve() == path
    assert pickle.loads(pickle.dumps(path)) == path


def test_objects_are_written_listed_read_and_removed(folder):
    with (folder / "b/c").open("wb") as file:
        file.write(b"0123456789")
    (folder / "a").write_text("röntgen", encoding="utf-8")
    with (folder / "d").open("w", encoding="utf-8", newline="") as file:
        file.write("1\r\n2")
    found = sorted(folder.files(), key=str)
    assert [str(each).removeprefix(f"{folder}/") for each in found] == ["a", "b/c", "d"]
    assert [each.stat().st_size for each in found] == [8, 10, 4]
    assert found[0].stat() == (folder / "a").stat()
    assert (folder / "a").read_text(encoding="utf-8") == "röntgen"
    assert (folder / "b/c").read_range(3, 4) == b"3456"
    assert (folder / "b/c").read_range(8, 4) == b"89"
    with (folder / "d").open(encoding="utf-8") as file:
        assert list(file) == ["1\n", "2"]
    (folder / "e").copy_from(folder / "b/c")
    assert (folder / "e").read_bytes() == b"0123456789"
    (folder / "a").unlink()
    assert not (folder / "a").exists()
    folder.sweep()
    assert list(folder.files()) == []


def test_what_is_not_there_is_not_found(folder):
    none = folder / "none"
    for read in (none.stat, none.read_bytes, none.unlink, lambda: none.read_range(0, 1)):
        with pytest.raises(FileNotFoundError) as raised:
            read()
        assert (raised.value.errno, raised.value.filename) == (errno.ENOENT, str(none))
    assert not none.exists()
    assert list(none.files()) == []
    none.unlink(missing_ok=True)
    none.sweep()


def test_nothing_is_written_where_the_writing_fails(folder):

    def failing():
        with (folder / "a").open("wb") as file:
            file.write(b"1")
            raise ValueError("within")

    with pytest.raises(ValueError, match="within"):
        failing()
    assert list(folder.files()) == []


@pytest.fixture
def written(store):
    path = StorePath(f"s3://{BUCKET}/{uuid.uuid4().hex}/a")
    path.write_text("1", encoding="ascii")
    return path


def test_an_object_that_is_denied_alone_is_so_like_a_local_one(written, store):
    def denied(method, path, status, body):
        is_object = path.partition("?")[0].rpartition("/")[2] == written.name
        return s3_store.denied(method, path, status, body) if is_object else (status, body, False)

    store.spoil = denied
    with pytest.raises(PermissionError) as raised:
        written.read_bytes()
    assert (raised.value.errno, raised.value.filename) == (errno.EACCES, str(written))


def test_a_key_that_is_denied_everything_says_nothing_about_an_object(written, store):
    store.spoil = s3_store.denied
    for act in (
        written.read_bytes,
        written.exists,
        lambda: list(written.files()),
        written.unlink,
        lambda: written.write_text("2", encoding="ascii"),
        lambda: written.with_name("b").copy_from(written),
    ):
        with pytest.raises(UserError, match=r"cannot be \w+.*: .*Check the permissions of its key"):
            act()


def test_a_store_that_cannot_be_reached_is_named_in_one_sentence(written, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(s3, "_ATTEMPTS", 1)
    s3._filesystem.cache_clear()
    for act in (written.read_bytes, written.exists, lambda: list(written.files())):
        with pytest.raises(UserError, match="Check that the store can be reached") as raised:
            act()
        assert str(raised.value).startswith(f"{written} cannot be ")
        assert "\n" not in str(raised.value)


def test_a_store_that_cannot_be_swept_is_a_warning(written, store, caplog):
    store.spoil = s3_store.denied
    written.parent.sweep()
    assert f"{written.parent} cannot be removed" in caplog.text
