import hashlib
import os
import re

import apache_beam as beam
import pytest

from components.convert import records, shards
from components.convert.outcomes import Outcome
from serving.beam.beam_pipeline import options
from serving.images.encoding.encoding import encoded
from serving.images.patient_names import Patient
from tests.components.convert.folders import examples, fill, source, xray
from tests.images import grey_pixels
from tests.serving.images.encoding.samples import FILES
from transform_module.errors import UserError


def planned(folder, files, number):
    """Plans the shards of files, by their content."""
    folder.mkdir(exist_ok=True)
    outcomes = [
        Outcome(
            source(name, "train", "NORMAL"),
            index,
            Patient("a", "the table"),
            hashlib.sha256(content).hexdigest(),
            "png",
            44,
            40,
            patient="a",
            split="train",
        )
        for index, (name, content) in enumerate(files.items())
    ]
    with beam.Pipeline(options=options([])) as pipeline:
        _ = pipeline | beam.Create(outcomes) | shards.Plan(folder, number)
    return outcomes


def written(images, plans, out, number):
    out.mkdir()
    write = shards.WriteShard(images, plans, out, number, "stage")
    for shard in range(number):
        write.process(("train", shard))


def test_shards_hold_their_images_in_the_order_of_their_keys(tmp_path):
    files = {f"{name}.png": xray(seed) for seed, name in enumerate("cabdefg")}
    fill(tmp_path / "images", files)
    outcomes = planned(tmp_path / "plans", files, 2)
    written(tmp_path / "images", tmp_path / "plans", tmp_path / "out", 2)
    ordered = sorted(files, key=records.shard_key)
    found = [example["filename"][0].decode() for example in examples(tmp_path / "out")]
    assert found == [
        name for shard in (0, 1) for name in ordered if records.shard_key(name) % 2 == shard
    ]
    assert sorted(os.listdir(tmp_path / "out/train")) == [
        "cxr-00000-of-00002.tfrecord.gz",
        "cxr-00001-of-00002.tfrecord.gz",
    ]
    lines = sorted(records.line("train", records.features(each)) for each in outcomes)
    assert list(shards.lines_of(tmp_path / "plans", 2)) == lines


def test_lines_of_many_shards_are_merged(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "_MERGED", 2)
    files = {f"{number}.png": b"" for number in range(30)}
    outcomes = planned(tmp_path, files, 9)
    lines = sorted(records.line("train", records.features(each)) for each in outcomes)
    assert list(shards.lines_of(tmp_path, 9)) == lines


@pytest.mark.parametrize("name", ["a.png", "röntgen 3 [left]/a.png"])
def test_an_image_that_changed_meanwhile_is_named(tmp_path, name):
    planned(tmp_path / "plans", {name: xray(1)}, 1)
    fill(tmp_path / "images", {name: xray(2)})
    with pytest.raises(UserError, match=re.escape(f"{name} changed while it was converted.")):
        written(tmp_path / "images", tmp_path / "plans", tmp_path / "out", 1)


@pytest.mark.parametrize(
    ("files", "size", "number"),
    [(0, 0, 4), (5_000, 150_000_000, 4), (100_000, 3_000_000_000, 16), (10**8, 3 * 10**12, 15250)],
)
def test_a_shard_has_about_200_mb_at_most(files, size, number):
    assert shards.number_of_shards(4, files, size) == number


def test_images_are_written_as_the_graph_takes_them(tmp_path):
    data = FILES["tiff"](grey_pixels(44, 40))
    fill(tmp_path / "images", {"a.tif": data})
    planned(tmp_path / "plans", {"a.tif": data}, 1)
    written(tmp_path / "images", tmp_path / "plans", tmp_path / "out", 1)
    (example,) = examples(tmp_path / "out")
    assert example["image"] == [encoded(data).image]
    assert example["sha256"] == [hashlib.sha256(data).hexdigest().encode()]


def test_an_image_that_cannot_be_read_again_stops_the_conversion(tmp_path, monkeypatch):
    data = FILES["tiff"](grey_pixels(44, 40))
    fill(tmp_path / "images", {"a.tif": data})
    planned(tmp_path / "plans", {"a.tif": data}, 1)
    monkeypatch.setattr(shards, "encoded", lambda _: "damaged TIFF")
    with pytest.raises(UserError, match=r"a.tif could not be read again: damaged TIFF"):
        written(tmp_path / "images", tmp_path / "plans", tmp_path / "out", 1)
