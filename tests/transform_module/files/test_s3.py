"""Against a store that speaks S3 (moto's), with its faults."""

import io
import time
import uuid

import pytest

from tests import s3_store
from tests.s3_store import BUCKET
from transform_module.files import remote, s3

CONTENT = bytes(range(256)) * 4096


@pytest.fixture(params=["s3", "minio"])
def place(request, store):
    return f"{request.param}://{BUCKET}/{uuid.uuid4().hex}"


def test_files_are_written_listed_read_and_removed(place):
    s3.upload(io.BytesIO(CONTENT), f"{place}/a/b")
    remote.write(f"{place}/a b+c", "text")
    assert remote.files(place) == ["a b+c", "a/b"]
    assert remote.names(place) == ["a", "a b+c"]
    with remote.opened(f"{place}/a/b") as file:
        assert file.read() == CONTENT
    assert abs(remote.modified(f"{place}/a/b") / 1e9 - time.time()) < 24 * 3600
    remote.remove(f"{place}/a/b")
    assert remote.files(place) == ["a b+c"]


def test_what_is_not_there_is_not_found(place):
    assert remote.files(f"{place}/none") == []
    assert remote.names(f"{place}/none") == []
    assert remote.modified(f"{place}/none") is None
    with pytest.raises(remote.NOT_FOUND):
        remote.remove(f"{place}/none")
    with pytest.raises(remote.NOT_FOUND), remote.opened(f"{place}/none"):
        pass


def test_folders_are_copied_from_and_to_the_store(place, tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_bytes(CONTENT)
    (tmp_path / "a" / "d").write_bytes(b"")
    names = remote.files(str(tmp_path / "a"))
    remote.copy(str(tmp_path / "a"), place, names)
    remote.copy(place, f"{place}-2", names)
    remote.copy(f"{place}-2", str(tmp_path / "e"), remote.files(f"{place}-2"))
    assert (tmp_path / "e" / "b" / "c").read_bytes() == CONTENT
    assert (tmp_path / "e" / "d").read_bytes() == b""


def test_a_store_that_denies_is_an_error_and_never_an_empty_one(place, store):
    s3.upload(io.BytesIO(CONTENT), f"{place}/a")
    store.spoil = s3_store.denied
    for act in (
        lambda: remote.files(place),
        lambda: remote.modified(f"{place}/a"),
        lambda: remote.write(f"{place}/b", ""),
        lambda: remote.opened(f"{place}/a").__enter__(),
    ):
        with pytest.raises(OSError, match=r"ACCESS_DENIED|403") as raised:
            act()
        assert not isinstance(raised.value, FileNotFoundError)


def test_a_connection_that_breaks_in_the_middle_gives_all_or_an_error(place, store):
    s3.upload(io.BytesIO(CONTENT), f"{place}/a")
    store.spoil = s3_store.CutOnce()
    try:
        with remote.opened(f"{place}/a") as file:
            content = file.read()
    except OSError:
        return
    assert content == CONTENT


def test_a_slow_store_is_waited_for(place, store):
    s3.upload(io.BytesIO(CONTENT), f"{place}/a")

    def slow(method, path, status, body):
        time.sleep(5)  # Arrow's own limit is 3 s
        return status, body, False

    store.spoil = slow
    with remote.opened(f"{place}/a") as file:
        assert file.read() == CONTENT
