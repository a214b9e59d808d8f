import base64
import hashlib
import os
import re

import pytest

from components.convert import inspection
from components.convert.records import features
from components.convert.screening import appearance
from components.convert.splits import Placement
from serving.images.image import Image
from tests.components.convert.damage import png_of_zeros
from tests.components.convert.folders import examples, fill, xray
from transform_module.contract import THUMBNAIL_SIDE
from transform_module.errors import UserError


def described(path, content):
    sha256 = hashlib.sha256(content).hexdigest()
    known = Image(path, "train", "NORMAL", "normal", None, sha256, "png", 44, 40)
    return path.encode(), features(known, Placement("a", "train"))


def test_a_good_image_is_described(tmp_path):
    fill(tmp_path, {"a.png": xray(1)})
    found = inspection.inspect_file(os.fsencode(tmp_path / "a.png"))
    assert len(base64.b64decode(found.pop("thumbnail"))) == THUMBNAIL_SIDE**2
    assert len(base64.b64decode(found.pop("hash"))) == appearance.HASH_BYTES
    assert found == {
        "sha256": hashlib.sha256(xray(1)).hexdigest(),
        "reason": None,
        "format": "png",
        "width": 44,
        "height": 40,
        "orientation": 1,
        "unused_bits": 0,
    }


def test_an_image_that_shows_nothing_is_refused(tmp_path):
    fill(tmp_path, {"a.png": png_of_zeros(60, 50)})
    found = inspection.inspect_file(os.fsencode(tmp_path / "a.png"))
    assert found["reason"] == "blank: its grey levels deviate by 0.0 of 255"


def test_a_refused_file_keeps_its_reason_and_sum(tmp_path):
    fill(tmp_path, {"a.png": b"text"})
    assert inspection.inspect_file(os.fsencode(tmp_path / "a.png")) == {
        "sha256": hashlib.sha256(b"text").hexdigest(),
        "reason": "text file",
        "format": None,
        "width": None,
        "height": None,
        "orientation": None,
        "unused_bits": None,
    }


def test_a_file_that_has_gone_is_not_a_failure(tmp_path):
    found = inspection.inspect_file(os.fsencode(tmp_path / "gone.png"))
    assert found["reason"] == "cannot be opened: no such file or directory"


@pytest.mark.parametrize(("size", "kept"), [(3, True), (4, False)])
def test_a_file_too_large_for_memory_is_only_summed(tmp_path, monkeypatch, size, kept):
    monkeypatch.setattr(inspection, "MAXIMUM_BYTES", 3)
    fill(tmp_path, {"a.png": b"x" * size})
    data, sha256 = inspection.read_file(os.fsencode(tmp_path / "a.png"))
    assert data == (b"x" * size if kept else None)
    assert sha256 == hashlib.sha256(b"x" * size).hexdigest()


def test_a_file_too_large_for_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(inspection, "MAXIMUM_BYTES", 2 * 1024**2)
    fill(tmp_path, {"a.png": bytes(2 * 1024**2 + 1)})
    found = inspection.inspect_file(os.fsencode(tmp_path / "a.png"))
    assert found["reason"] == "too large: a file of more than 2 MiB"


def test_every_file_is_inspected_once_whatever_its_name(tmp_path):
    (tmp_path / "results").mkdir()
    names = [b"a.png", b"caf\xe9.png", b"line\nbreak.png", b"gone.png"]
    for name in names[:3]:
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
            file.write(xray(1))
    found = inspection.inspect_files(
        tmp_path, list(enumerate(names)), tmp_path / "results", beam_args=(), progress=None
    )
    assert {each["index"]: each["reason"] for each in found} == {
        0: None,
        1: None,
        2: None,
        3: "cannot be opened: no such file or directory",
    }


def test_shards_hold_their_images_in_order(tmp_path):
    files = {f"{name}.png": xray(seed) for seed, name in enumerate("cab")}
    fill(tmp_path, files)
    (tmp_path / "out/train").mkdir(parents=True)
    shard = str(tmp_path / "out/train/cxr-00000-of-00001.tfrecord.gz")
    images = [described(path, content) for path, content in files.items()]
    said = []
    inspection.write_shards(
        tmp_path, [(shard, images)], beam_args=(), progress=lambda *at: said.append(at)
    )
    assert [example["image"] for example in examples(tmp_path / "out")] == [
        [content] for content in files.values()
    ]
    assert os.listdir(tmp_path / "out/train") == ["cxr-00000-of-00001.tfrecord.gz"]
    assert said == [(0, 3), (1, 3), (2, 3), (3, 3), (3, 3)]


@pytest.mark.parametrize("name", ["a.png", "röntgen 3 [left]/a.png"])
def test_an_image_that_changed_meanwhile_is_named(tmp_path, name):
    images = [described(name, xray(1))]
    fill(tmp_path, {name: xray(2)})
    with pytest.raises(UserError, match=re.escape(f"{name} changed while it was converted.")):
        inspection.write_shards(
            tmp_path, [(str(tmp_path / "shard"), images)], beam_args=(), progress=None
        )
