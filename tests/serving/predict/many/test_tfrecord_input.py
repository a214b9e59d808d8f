import gzip
import os
import zlib
from dataclasses import astuple

import numpy as np
import pytest
import tensorflow as tf

from serving.predict.many import tfrecord_input
from serving.predict.many.job import Summary, predict_many
from tests.images import encode
from tests.serving.predict.many.samples import (
    example,
    expected,
    grey,
    names,
    numbered,
    read,
    write_records,
)
from transform_module.errors import UserError


@pytest.mark.parametrize("name", ["x.tfrecord", "x.tfrecord.gz"])
def test_records_are_predicted_between_files(version, images, tmp_path, name, small_parts):
    written = [
        *numbered(3),
        example(grey(51)),
        example(None, "none.png"),
        b"\xff no example",
        example(b"text", "text.png"),
    ]
    file = write_records(tmp_path / name, written)
    out = tmp_path / "out.jsonl"
    summary = predict_many(version, [images / "0", file, images / "1"], out)
    rows = read(out)
    assert rows[:4] == expected(version, images / "0")
    assert rows[11:] == expected(version, images / "1")
    none = "record without the feature image"
    assert [(row["path"], row["probability"], row["reason"]) for row in rows[4:10]] == [
        ("0.png", 0.0, ""),
        ("1.png", pytest.approx(10 / 255), ""),
        ("2.png", pytest.approx(20 / 255), ""),
        (f"{file}#3", pytest.approx(0.2), ""),
        ("none.png", None, none),
        (f"{file}#5", None, none),
    ]
    assert (rows[10]["path"], rows[10]["valid"]) == ("text.png", False)
    assert "text file" in rows[10]["reason"]
    assert astuple(summary) == (15, 12, 3, 0, (), 0, 0)


def test_records_are_found_by_patterns_and_in_folders(version, tmp_path):
    folder = tmp_path / "records"
    folder.mkdir()
    write_records(folder / "b-00000.tfrecord.gz", numbered(3)[:1])
    write_records(folder / "b-00001.tfrecord.gz", numbered(3)[1:])
    predict_many(version, [folder / "*-*.tfrecord.gz", folder], tmp_path / "out.csv")
    assert names(tmp_path / "out.csv") == ["0.png", "1.png", "2.png"] * 2


def test_an_image_too_large_for_memory_is_not_predicted(version, tmp_path, monkeypatch):
    monkeypatch.setattr(tfrecord_input, "MAXIMUM_BYTES", 4)
    file = write_records(tmp_path / "x.tfrecord", numbered(1))
    predict_many(version, [file], tmp_path / "out.csv")
    assert read(tmp_path / "out.csv")[0]["reason"].startswith("too large")


def cut_between_records(file, after):
    """Writes a GZIP file that ends with a whole record and without its own end."""
    content = b""
    compressor = zlib.compressobj(wbits=31)
    for record in tf.data.TFRecordDataset(str(file)).take(after).as_numpy_iterator():
        single = write_records(file.with_suffix(".one"), [record]).read_bytes()
        content += compressor.compress(single) + compressor.flush(zlib.Z_FULL_FLUSH)
    return content


def damage(file, how):
    plain = file.read_bytes()
    whole = len(plain) // 5 + 4
    content = bytearray(plain)
    if how == "flipped":
        content[len(plain) // 2] ^= 1
        return bytes(content), ".tfrecord"
    if how == "cut":
        return bytes(content[: 2 * whole + 30]), ".tfrecord"
    if how == "gzip, cut":
        packed = gzip.compress(plain)
        return packed[: len(packed) // 2], ".tfrecord.gz"
    if how == "gzip, without the end":
        return gzip.compress(plain)[:-8], ".tfrecord.gz"
    return cut_between_records(file, 2), ".tfrecord.gz"


@pytest.mark.parametrize(
    ("how", "kept"),
    [
        ("flipped", {2}),
        ("cut", {2}),
        ("gzip, cut", {1, 2, 3}),
        ("gzip, without the end", {5}),
        ("gzip, cut between records", {2}),
    ],
)
def test_what_a_damaged_file_holds_before_is_kept_and_reported(
    version, images, tmp_path, how, kept
):
    noise = np.random.default_rng(0).integers(0, 256, (5, 60, 60), np.uint8)
    written = [example(encode(each, "png-grey"), f"{n}.png") for n, each in enumerate(noise)]
    content, suffix = damage(write_records(tmp_path / "whole", written), how)
    file = tmp_path / f"damaged{suffix}"
    file.write_bytes(content)
    out = tmp_path / "out.csv"
    summary = predict_many(version, [file, images / "0" / "000.png"], out)
    rows = summary.images - 1
    assert rows in kept
    assert names(out) == [*(f"{n}.png" for n in range(rows)), "000.png"]
    assert summary.damaged == (
        f"{file} is damaged after {rows} images; what follows them is lost.",
    )


def test_two_gzip_files_one_after_the_other_are_one_whole_file(version, tmp_path):
    file = write_records(tmp_path / "x.tfrecord.gz", numbered(2))
    file.write_bytes(file.read_bytes() * 2)
    summary = predict_many(version, [file], tmp_path / "out.csv")
    assert summary == Summary(4, 4, 0, 0, ())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no records at all, but text", "cannot be read as a TFRecord file: its first record is"),
        (None, "cannot be read as a TFRecord file: it is not a file"),
    ],
    ids=["text", "a pipe"],
)
@pytest.mark.parametrize("name", ["x.tfrecord", "x.tfrecord.gz"])
def test_what_is_not_a_record_file_is_named(
    version, images, tmp_path, name, content, message, predicted
):
    if content is None:
        os.mkfifo(tmp_path / name)
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=rf"/{name} {message}"):
        predict_many(version, [images, tmp_path / name], tmp_path / "out.csv")
    assert not predicted
    assert not (tmp_path / "out.csv.parts").exists()


def test_records_of_something_else_are_named(version, tmp_path):
    file = write_records(tmp_path / "x.tfrecord", [example(None, "a.png")])
    with pytest.raises(UserError, match=r"x\.tfrecord holds no images"):
        predict_many(version, [file], tmp_path / "out.csv")
