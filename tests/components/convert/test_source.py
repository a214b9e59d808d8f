import importlib.util
import os
from pathlib import Path

import pytest

from components.convert import source
from serving.images.settings import DatasetSettings
from tests.components.convert.folders import fill
from transform_module.errors import UserError

SETTINGS = DatasetSettings()


@pytest.fixture
def images(tmp_path):
    return fill(tmp_path / "images", {"NORMAL/a.png": b"1", "PNEUMONIA/b.png": b"2"})


def test_the_same_folder_has_the_same_fingerprint(images):
    first = source.source_fingerprint(images, SETTINGS, 7)
    assert first == source.source_fingerprint(images, SETTINGS, 7)
    assert len(first) == 64


@pytest.mark.parametrize(
    "change",
    [
        lambda images: fill(images, {"NORMAL/c.png": b"3"}),
        lambda images: (images / "NORMAL/a.png").unlink(),
        lambda images: (images / "NORMAL/a.png").rename(images / "NORMAL/c.png"),
        lambda images: os.utime(images / "NORMAL/a.png", ns=(1, 1)),
        lambda images: (images / "NORMAL/c.png").symlink_to("nowhere"),
        lambda images: (images / "NORMAL").rename(images / "normal"),
    ],
    ids=["added", "removed", "renamed", "touched", "dangling", "another case"],
)
def test_a_change_in_the_folder_changes_it(images, change):
    before = source.source_fingerprint(images, SETTINGS, 7)
    change(images)
    assert source.source_fingerprint(images, SETTINGS, 7) != before


def test_another_place_of_the_folder_does_not(images):
    before = source.source_fingerprint(images, SETTINGS, 7)
    moved = images.rename(images.with_name("moved"))
    assert source.source_fingerprint(moved, SETTINGS, 7) == before


def test_settings_and_seed_change_it(images):
    assert (
        len(
            {
                source.source_fingerprint(images, SETTINGS, 7),
                source.source_fingerprint(images, SETTINGS, 8),
                source.source_fingerprint(images, DatasetSettings(shards=5), 7),
                source.source_fingerprint(images, DatasetSettings(patient_pattern="(a)"), 7),
            }
        )
        == 4
    )


def test_the_content_of_the_table_of_patients_changes_it(images, tmp_path):
    table = fill(tmp_path, {"table.csv": b"path,patient\nNORMAL/a.png,1\n"}) / "table.csv"
    settings = DatasetSettings(patients=str(table))
    before = source.source_fingerprint(images, settings, 7)
    table.write_bytes(b"path,patient\nNORMAL/a.png,2\n")
    assert source.source_fingerprint(images, settings, 7) != before


def test_the_code_that_converts_changes_it(images, monkeypatch):
    before = source.source_fingerprint(images, SETTINGS, 7)
    monkeypatch.setattr(source, "code_version", lambda *_: "other")
    assert source.source_fingerprint(images, SETTINGS, 7) != before


@pytest.mark.parametrize(
    "module",
    [
        "components.convert.convert",
        "components.convert.inspection",
        "components.convert.splits",
        "serving.images.decode_check",
        "transform_module.contract",
        "transform_module.images.image_ops",
    ],
)
def test_the_code_includes_what_the_records_depend_on(images, monkeypatch, module):
    before = source.source_fingerprint(images, SETTINGS, 7)
    path, read = Path(importlib.util.find_spec(module).origin), Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda file: read(file) + b"# edited" * (file == path))
    assert source.source_fingerprint(images, SETTINGS, 7) != before


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(UserError, match="No image folder at"):
        source.source_fingerprint(tmp_path / "nowhere", SETTINGS, 7)


@pytest.mark.parametrize("key", ["labels", "patients"])
def test_a_change_in_a_table_changes_it(images, key):
    table = images.with_name("table.csv")
    table.write_text("path,label,patient\na.png,0,x\nb.png,1,y\n")
    settings = DatasetSettings(**{key: str(table)})
    before = source.source_fingerprint(images, settings, 7)
    assert source.source_fingerprint(images, settings, 7) == before
    table.write_text("path,label,patient\na.png,0,x\nb.png,1,z\n")
    assert source.source_fingerprint(images, settings, 7) != before
