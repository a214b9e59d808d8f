"""Predictions from and to a store that speaks S3 (moto's), with its faults."""

import uuid
from pathlib import Path

import pytest

from serving.predict.files import predict
from serving.predict.many.job import predict_many
from tests import s3_store
from tests.s3_store import BUCKET
from tests.serving.predict.many.samples import expected, numbered, read, write_records
from transform_module.errors import UserError
from transform_module.files import remote, s3
from transform_module.files.place import names_below
from transform_module.files.store_path import StorePath


@pytest.fixture
def place(store):
    return StorePath(f"s3://{BUCKET}/{uuid.uuid4().hex}")


@pytest.fixture
def stored(images, place):
    """The same images in the store, with some that are bad."""
    (images / "1" / "text.png").write_bytes(b"some text\n" * 9)
    (images / "1" / "röntgen 1+1.png").write_bytes((images / "0" / "000.png").read_bytes())
    (images / "1" / "Thumbs.db").write_bytes(b"system")
    (images / "a.png").write_bytes((images / "0" / "000.png").read_bytes())
    remote.copy(str(images), str(place / "images"), remote.files(str(images)))
    return place / "images"


def below(rows, folder):
    return [{**row, "path": row["path"].removeprefix(f"{folder}/")} for row in rows]


@pytest.mark.parametrize(
    ("out", "suffix"), [("here", ".csv"), ("in a store", ".jsonl"), ("in a store", ".parquet")]
)
def test_the_rows_are_those_of_local_images(
    version, images, stored, place, tmp_path, small_parts, out, suffix
):
    table = f"{place}/out{suffix}" if out == "in a store" else str(tmp_path / f"out{suffix}")
    summary = predict_many(version, [str(stored)], table)
    assert (summary.images, summary.valid, summary.resumed) == (15, 14, 0)
    local = tmp_path / f"copy{suffix}"
    remote.copy_file(table, str(local))
    rows = below(read(local), stored)
    assert rows == below(expected(version, images), images)
    assert {name.split("/")[0] for name in names_below(place)} - {f"out{suffix}"} == {"images"}
    assert not list(tmp_path.glob("*.parts*"))


def test_files_folders_and_what_is_missing_get_rows(version, stored, place):
    paths = [str(each) for each in (stored / "a.png", place / "none.png", stored / "2/*.png")]
    rows = predict(version, [*paths, str(stored / "2")])
    assert [row.path for row in rows[:3]] == paths
    assert [row.reason.split(";")[0] for row in rows[:3]] == [
        "",
        "cannot be opened: no such file or directory",
        "no such file",
    ]
    assert [Path(row.path).name for row in rows[3:]] == ["002.png", "005.png", "008.png", "011.png"]


def test_records_in_a_store_are_read(version, place, tmp_path, monkeypatch):
    monkeypatch.setattr("serving.predict.many.tfrecord_input._FIRST_BYTES", 600)
    for name in ("a.tfrecord", "b.tfrecord.gz"):
        file = write_records(tmp_path / name, numbered(5))
        remote.copy_file(str(file), f"{place}/{name}")
    predict_many(version, [str(place)], tmp_path / "out.csv")
    assert [row["path"] for row in read(tmp_path / "out.csv")] == [
        f"{number}.png" for number in range(5)
    ] * 2


def test_an_image_that_is_denied_is_a_row_and_a_store_that_fails_stops(
    version, stored, place, store, tmp_path, monkeypatch
):
    def denied(method, path, status, body):
        is_meant = "a.png" in path and "list-type" not in path
        return s3_store.denied(method, path, status, body) if is_meant else (status, body, False)

    store.spoil = denied
    summary = predict_many(version, [str(stored)], tmp_path / "out.csv")
    (row,) = [row for row in read(tmp_path / "out.csv") if row["path"] == str(stored / "a.png")]
    assert (row["reason"], summary.valid) == ("cannot be opened: permission denied", 13)

    def failing(method, path, status, body):
        is_list = "list-type" in path
        return (status, body, False) if is_list else (503, b"", False)

    store.spoil = failing
    monkeypatch.setattr(s3, "_ATTEMPTS", 1)
    s3._filesystem.cache_clear()
    with pytest.raises(UserError, match=rf"{stored}/.* cannot be read: .*[^\n]*$"):
        predict_many(version, [str(stored)], tmp_path / "again.csv")
    assert not (tmp_path / "again.csv").exists()


def test_a_table_that_cannot_be_written_is_one_sentence_and_the_former_stays(
    version, stored, place, store
):
    out = place / "out.jsonl"
    predict_many(version, [str(stored / "2")], out)
    before = out.read_bytes()

    def denied(method, path, status, body):
        is_meant = method in ("POST", "PUT") and "out.jsonl?" in path
        return s3_store.denied(method, path, status, body) if is_meant else (status, body, False)

    store.spoil = denied
    with pytest.raises(UserError, match=r"out\.jsonl cannot be written: .* permissions"):
        predict_many(version, [str(stored)], out)
    store.spoil = None
    assert out.read_bytes() == before
    assert {name.split("/")[0] for name in names_below(place)} == {"images", "out.jsonl"}
