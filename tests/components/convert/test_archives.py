"""Archives as the images of a conversion."""

import json
import multiprocessing
import os
import signal
import zipfile
from dataclasses import replace

import pytest

from components.convert import jobs
from components.convert.convert import convert, converted
from serving.images.layout import scan
from serving.images.settings import DatasetSettings
from tests import archives
from tests.components.convert.folders import (
    LENIENT,
    dataset_of,
    examples,
    fill,
    hospital,
    shard_bytes,
    xray,
)
from tests.conftest import SHARED
from tests.object_store import new_place
from tests.s3_store import BUCKET
from transform_module.errors import UserError
from transform_module.files.archives import decompression
from transform_module.files.archives.archive_path import ArchivePath
from transform_module.files.store_path import StorePath

FILES = {
    **hospital(4, ("chest_xray/train/", "chest_xray/test/")),
    "chest_xray/train/NORMAL/röntgen.png": xray(901),
    "chest_xray/train/NORMAL/broken.png": b"broken",
    "chest_xray/train/NORMAL/.DS_Store": b"1",
    "chest_xray/train/PNEUMONIA/masks/a.png": xray(902),
    "chest_xray/chest_xray/train/NORMAL/röntgen.png": xray(901),
    "chest_xray/__MACOSX/chest_xray/._train": b"1",
    "__MACOSX/chest_xray/train/NORMAL/._a.png": b"1",
    "notes.txt": b"text",
}


def described(out):
    """What a dataset is but for the fingerprint of its source, and the sum over that too."""
    content = json.loads((out / "dataset.json").read_text())
    return {**content, "source_fingerprint": None, "checksum": None}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The dataset of the folder that the archives hold."""
    folder = tmp_path_factory.mktemp("unpacked")
    dataset_of(fill(folder / "images", FILES), folder / "out")
    return folder / "out"


@pytest.mark.parametrize("kind", archives.KINDS)
def test_an_archive_is_converted_as_the_folder_that_it_holds(kind, tmp_path, unpacked):
    images, out = archives.packed(tmp_path / f"images.{kind}", FILES), tmp_path / "out"
    dataset_of(images, out)
    assert described(out) == described(unpacked)
    assert shard_bytes(out) == shard_bytes(unpacked)
    assert (out / "quarantine.csv").read_text() == (unpacked / "quarantine.csv").read_text()
    assert sorted(each.name for each in tmp_path.iterdir()) == [images.name, "out"]


def test_a_zip_file_in_a_store_is_converted_as_a_local_one(tmp_path, unpacked, store):
    place = StorePath(new_place().replace("ram://", f"s3://{BUCKET}/")) / "images.zip"
    local = archives.packed(tmp_path / "images.zip", FILES)
    with place.open("wb") as file:
        file.write(local.read_bytes())
    dataset_of(str(place), tmp_path / "out")
    assert described(tmp_path / "out") == described(unpacked)
    assert shard_bytes(tmp_path / "out") == shard_bytes(unpacked)


@pytest.mark.parametrize("kind", ["zip", "tar", "tgz"])
def test_an_archive_that_has_not_changed_is_not_converted_again(kind, tmp_path):
    images, out = archives.packed(tmp_path / f"images.{kind}", FILES), tmp_path / "out"
    assert converted(images, out, settings=LENIENT, seed=7) is None
    dataset = dataset_of(images, out)
    assert converted(images, out, settings=LENIENT, seed=7) == dataset
    os.utime(images, ns=(1, 1))
    assert converted(images, out, settings=LENIENT, seed=7) is None
    shards = {path: path.stat() for path in out.glob("*/*.gz")}
    assert dataset_of(images, out).fingerprint == dataset.fingerprint
    assert {path: path.stat() for path in out.glob("*/*.gz")} == shards


def test_archives_in_an_archive_are_skipped_and_counted(tmp_path):
    files = {**hospital(4), "train/NORMAL/more.zip": b"PK", "old.tar.gz": b"1", "a.7z": b"1"}
    dataset = dataset_of(archives.packed(tmp_path / "images.zip", files), tmp_path / "out")
    assert dataset.skipped_reasons == {"archive in an archive": 3}
    assert dataset.quarantine_reasons == {}


def test_what_an_archive_must_not_hold_is_quarantined_with_its_reason(tmp_path):
    files = hospital(4)
    with zipfile.ZipFile(archives.packed(tmp_path / "images.zip", files), "a") as archive:
        for name in ("/train/NORMAL/a.png", "train/NORMAL/../../../b.png", "C:/NORMAL/c.png"):
            archive.writestr(name, xray(1))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr(next(iter(files)), xray(2))
    out = tmp_path / "out"
    dataset = dataset_of(tmp_path / "images.zip", out)
    rows = (out / "quarantine.csv").read_text().splitlines()[1:]
    assert len(rows) == 4
    assert sum("is absolute or leads out of it" in row for row in rows) == 3
    assert sum("in the archive more than once" in row for row in rows) == 1
    assert sum(each.images for each in dataset.splits) == len(files) - 1
    assert not any(b".." in each["filename"][0] for each in examples(out))


def test_an_output_that_would_replace_the_archive_is_refused(tmp_path):
    images = archives.packed(tmp_path / "data.zip", FILES)
    for out in (tmp_path, images):
        with pytest.raises(UserError, match="lie in each other"):
            convert(images, out, settings=LENIENT, seed=7)
    assert images.exists()


def test_an_archive_of_nothing_is_refused_with_what_it_holds(tmp_path):
    images = archives.packed(tmp_path / "images.tar", {"a/b.png": b"1"})
    with pytest.raises(UserError, match=r"images\.tar holds no images in class folders.*in a: b"):
        convert(images, tmp_path / "out", settings=LENIENT, seed=7)


def test_a_compressed_tar_file_needs_an_output_on_this_machine(tmp_path, store):
    images = archives.packed(tmp_path / "images.tgz", FILES)
    out = StorePath(new_place().replace("ram://", f"s3://{BUCKET}/")) / "out"
    with pytest.raises(UserError, match=r"both it and the output are on this machine.*gzip -d"):
        convert(images, out, settings=LENIENT, seed=7)


def _killed(images, out):
    def kill(*_, **__):
        assert list(out.parent.glob(f".{out.name}.partial/{decompression.NAME}"))
        os.kill(os.getpid(), signal.SIGKILL)

    jobs.Job.place = kill
    convert(images, out, settings=LENIENT, seed=7)


def test_a_killed_conversion_leaves_nothing_of_an_archive_after_the_next(tmp_path, unpacked):
    images, out = archives.packed(tmp_path / "images.tar.xz", FILES), tmp_path / "out"
    child = multiprocessing.get_context("fork").Process(target=_killed, args=(images, out))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    dataset_of(images, out)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["images.tar.xz", "out"]
    assert shard_bytes(out) == shard_bytes(unpacked)


def test_the_same_files_are_listed(tmp_path):
    folder = fill(tmp_path / "images", FILES)
    expected = [replace(file, mtime_ns=0) for file in scan(folder)]
    for kind in ("zip", "tar"):
        archive = ArchivePath(archives.packed(tmp_path / f"images.{kind}", FILES))
        assert [replace(file, mtime_ns=0) for file in scan(archive)] == expected


FOUND = SHARED / "found" / "02_kaggle_zip_as_unpacked"


@pytest.mark.skipif(not FOUND.is_dir(), reason="the found files are not here (../shared/found)")
def test_the_public_archive_is_converted_as_it_unpacks(tmp_path):
    files = {
        path.relative_to(FOUND).as_posix(): path.read_bytes()
        for path in sorted(FOUND.rglob("*"))
        if path.is_file()
    }
    settings = DatasetSettings(shards=1)
    folder = dataset_of(FOUND, tmp_path / "one", settings)
    archive = dataset_of(archives.packed(tmp_path / "a.zip", files), tmp_path / "two", settings)
    assert archive.fingerprint == folder.fingerprint
    assert archive.skipped_reasons == {"system file": 18, "second copy": 16}
    assert shard_bytes(tmp_path / "two") == shard_bytes(tmp_path / "one")
