import os
from contextlib import contextmanager

import pytest

from pipeline.config.config import Config
from pipeline.run.examples import examples
from serving.images.dataset import DATASET_FILE
from serving.images.settings import DatasetSettings
from tests.archives import packed
from tests.components.convert.folders import fill, hospital

CONFIG = Config(images="given", dataset=DatasetSettings(max_bad=1))


@pytest.fixture
def prepared(tmp_path):
    """Asks for the examples of some images, and returns them with the steps that were taken."""

    def prepare(images, config=CONFIG):
        steps = []

        @contextmanager
        def step(name):
            steps.append(name)
            yield lambda done, total: None

        dataset = examples(config, images, tmp_path / "dataset", tmp_path / "datasets", step)
        return dataset, "Convert images" in steps

    return prepare


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_going_back_to_images_that_were_used_before_converts_nothing(tmp_path, prepared):
    first = fill(tmp_path / "first", hospital(6))
    second = fill(tmp_path / "second", hospital(8))
    assert prepared(first)[1]
    made = tree(tmp_path / "dataset")
    assert prepared(second)[1]
    assert tree(tmp_path / "dataset") != made
    for images in (first, second, first):
        dataset, is_converted = prepared(images)
        assert not is_converted
        assert not prepared(images)[1]
    # The cache knows a dataset by these bytes.
    assert tree(tmp_path / "dataset") == made
    assert dataset.fingerprint in (tmp_path / "dataset" / DATASET_FILE).read_text()
    names = {path.name for path in (tmp_path / "datasets").iterdir()}
    assert len(names) == 2


def test_a_former_set_that_is_damaged_is_converted_again(tmp_path, prepared):
    first = fill(tmp_path / "first", hospital(6))
    prepared(first)
    made = tree(tmp_path / "dataset")
    prepared(fill(tmp_path / "second", hospital(8)))
    (kept,) = (tmp_path / "datasets").iterdir()
    shard = next(path for path in kept.rglob("*.gz") if path.stat().st_size)
    content = shard.read_bytes()
    shard.unlink()
    shard.write_bytes(content[:-1])
    assert prepared(first)[1]
    assert tree(tmp_path / "dataset").keys() == made.keys()


@pytest.mark.parametrize("kind", ["zip", "tar.xz"])
def test_an_archive_is_converted_until_it_changes(tmp_path, prepared, kind):
    images = packed(tmp_path / f"x.{kind}", hospital(6))
    dataset, is_converted = prepared(images)
    assert is_converted
    assert not prepared(images)[1]
    prepared(fill(tmp_path / "second", hospital(8)))
    assert prepared(images) == (dataset, False)
    os.utime(images, (1, 1))
    assert prepared(images)[1]


def test_images_that_changed_since_are_converted(tmp_path, prepared):
    first = fill(tmp_path / "first", hospital(6))
    prepared(first)
    prepared(fill(tmp_path / "second", hospital(8)))
    os.utime(next(first.rglob("*.png")), (1, 1))
    assert prepared(first)[1]
