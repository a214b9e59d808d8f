import csv
import errno
import hashlib
import io
import logging
import os
import resource
import shutil
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.convert import jobs, placing, shards
from components.convert.convert import converted, inspect
from pipeline.cli.output.dataset_rows import rows
from serving.beam import disk_runner
from serving.files import spool, staging
from serving.images.dataset import Dataset
from serving.images.settings import DatasetSettings
from tests.components.convert import damage
from tests.components.convert.folders import (
    LENIENT,
    dataset_of,
    examples,
    fill,
    hospital,
    shard_bytes,
    xray,
)
from tests.components.convert.killed import MOMENTS
from tests.conftest import SHARED
from tests.images import encode, grey_pixels, png_of_16_bits
from tests.serving.images.encoding.samples import FILES
from transform_module.errors import NothingValid, UserError

ROOT = Path(__file__).resolve().parents[3]


def tree(out):
    return {
        str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()
    }


def quarantined(out):
    with (out / "quarantine.csv").open(encoding="utf-8", newline="") as file:
        return {row["path"]: row for row in csv.DictReader(file)}


def split_of(out):
    return {example["filename"][0].decode(): example["split"] for example in examples(out)}


def assert_no_patient_in_two_splits(out):
    splits = defaultdict(set)
    for example in examples(out):
        splits[example["patient_id"][0]].add(example["split"])
        splits[example["sha256"][0]].add(example["split"])
    assert all(len(found) == 1 for found in splits.values())


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    """A folder with a bit of everything, and what it was converted to."""
    folder = tmp_path_factory.mktemp("clinic")
    files = hospital(12, ("train/", "val/", "test/"))
    test_patient = next(path for path in files if path.startswith("test/PNEUMONIA"))
    number = test_patient.split("person")[1].split("_")[0]
    files |= {
        f"train/PNEUMONIA/person{number}_virus_9.png": xray(5001),
        f"val/PNEUMONIA/person{number}_virus_8.png": xray(5002),
        "train/PNEUMONIA/person1_virus_copy.png": files["train/PNEUMONIA/person1_virus_1.png"],
        "train/NORMAL/scan.png": xray(5003),
        "train/NORMAL/scan again.png": xray(5003),
        "train/NORMAL/both.png": xray(5004),
        "val/PNEUMONIA/both.png": xray(5004),
        "val/NORMAL/broken.jpeg": b"",
        "val/NORMAL/.DS_Store": b"\0",
        "test/notes.txt": b"notes",
    }
    images = fill(folder / "images", files)
    return files, folder / "out", dataset_of(images, folder / "out")


def test_the_sums_by_folder_and_class(clinic):
    *body, total = [(row[0], row[1], row.read, *row[6:]) for row in rows(clinic[2])]
    assert body == [
        ("train", "NORMAL", 21, 1, 0, 0),
        ("train", "PNEUMONIA", 14, 0, 0, 1),
        ("val", "NORMAL", 20, 1, 1, 0),
        ("val", "PNEUMONIA", 14, 1, 0, 1),
        ("test", "NORMAL", 18, 0, 0, 0),
        ("test", "PNEUMONIA", 12, 0, 0, 0),
        ("test", "(outside)", 1, 0, 1, 0),
    ]
    assert total[2] == len(clinic[0])


def test_the_records_are_as_many_as_are_counted(clinic):
    _, out, dataset = clinic
    found = Counter((each["split"], each["label_name"][0].decode()) for each in examples(out))
    counted: Counter[tuple[str, str]] = Counter()
    for count in dataset.splits:
        counted[count.split, count.label] += count.images
    assert found == counted


def test_the_description_is_written_beside_the_records(clinic):
    assert Dataset.load(clinic[1]) == clinic[2]


def test_the_patients_are_counted_among_the_valid_images(clinic):
    _, _, dataset = clinic
    valid = sum(count.written + count.dropped for count in dataset.folders)
    # Two copies of one image have a name that says nothing.
    assert (dataset.patients.images, dataset.patients.known) == (valid, valid - 2)
    assert dataset.patients.by == {"the names of Kermany et al.": valid - 2}


def test_the_quarantine_says_why(clinic):
    files, out, dataset = clinic
    listed = quarantined(out)
    assert {path: row["reason"].split(":")[0] for path, row in listed.items()} == {
        "train/NORMAL/both.png": "same image under both classes",
        "val/NORMAL/broken.jpeg": "empty file",
        "val/PNEUMONIA/both.png": "same image under both classes",
    }
    for path, row in listed.items():
        assert int(row["bytes"]) == len(files[path])
        assert row["sha256"] == hashlib.sha256(files[path]).hexdigest()
    assert sum(dataset.quarantine_reasons.values()) == len(listed)


def test_a_record_is_what_the_contract_says(clinic):
    files, out, _ = clinic
    path = "train/PNEUMONIA/person1_virus_copy.png"
    (record,) = [each for each in examples(out) if each["filename"] == [path.encode()]]
    split = record.pop("split")
    assert split in ("train", "eval")
    assert record == {
        "image": [files[path]],
        "label": [1],
        "label_name": [b"PNEUMONIA"],
        "filename": [path.encode()],
        "patient_id": [b"virus-1"],
        "subtype": [b"virus"],
        "format": [b"png"],
        "width": [44],
        "height": [40],
        "sha256": [hashlib.sha256(files[path]).hexdigest().encode()],
    }


def test_no_patient_is_in_two_splits(clinic):
    assert_no_patient_in_two_splits(clinic[1])


def test_the_test_folder_is_the_test_split(clinic):
    assert {path for path, split in split_of(clinic[1]).items() if split == "test"} == {
        path for path in clinic[0] if path.startswith("test/") and path.endswith(".png")
    }


def test_patients_of_test_are_dropped_elsewhere(clinic):
    assert clinic[2].dropped_patients == ("virus-24",)
    assert not {path for path in split_of(clinic[1]) if "person24_" in path and "test" not in path}


def test_both_splits_get_both_classes(clinic):
    assert clinic[2].missing == ()


def test_the_shards_are_named_as_the_contract_says(clinic):
    assert sorted(shard_bytes(clinic[1])) == [
        f"{split}/cxr-0000{shard}-of-00002.tfrecord.gz"
        for split in ("eval", "test", "train")
        for shard in (0, 1)
    ]


def test_an_inspection_finds_what_a_conversion_does_and_writes_nothing(tmp_path, clinic):
    images = clinic[1].parent / "images"
    before = sorted(path.name for path in images.parent.iterdir())
    done = []
    found, refused = inspect(
        images, settings=LENIENT, seed=7, progress=lambda *each: done.append(each)
    )
    assert refused is None
    assert found == clinic[2].model_copy(update={"files": {}, "checksum": ""})
    assert sorted(path.name for path in images.parent.iterdir()) == before
    # One stage: nothing is written.
    assert [each for each in done if each[0] == 0] == [(0, done[-1][1])]


def test_an_inspection_says_what_a_conversion_would_refuse(tmp_path):
    images = fill(tmp_path / "images", hospital(4) | {"train/NORMAL/a.png": b""})
    found, refused = inspect(images, settings=DatasetSettings(max_bad=0), seed=7)
    assert refused.startswith("1 of 11 files (9%) are not readable images; allowed are 0%")
    assert "is in" not in refused
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images"]
    assert sum(found.quarantine_reasons.values()) == 1


def test_a_report_gets_the_description_and_the_image_folder(tmp_path):
    images, given = fill(tmp_path / "images", hospital(4)), []
    dataset = dataset_of(images, tmp_path / "out", report=lambda *each: given.append(each))
    found, _ = inspect(images, settings=LENIENT, seed=7, report=lambda *each: given.append(each))
    assert given == [(dataset, images), (found, images)]


def test_an_inspection_of_nothing_usable_says_so(tmp_path):
    images = fill(tmp_path, {"NORMAL/a.png": b"", "PNEUMONIA/b.png": b"text"})
    with pytest.raises(NothingValid, match=r"2 of 2 files \(100%\) are not readable images"):
        inspect(images, settings=LENIENT, seed=7)


def test_the_survey_counts_what_is_in_the_splits(clinic):
    survey = clinic[2].survey
    records = list(examples(clinic[1]))
    assert survey.images == survey.measured == len(records)
    assert survey.patients == len({each["patient_id"][0] for each in records})
    assert sum(each.images for each in survey.kinds) == len(records)
    assert {(each.format, each.colours, each.bits) for each in survey.kinds} == {
        ("png", "grey", "8")
    }
    assert survey.duplicates == 2
    assert [(each.folders, each.groups, each.images) for each in survey.leaks] == [
        ("train, val, test", 1, 2)
    ]
    assert {each.about for each in survey.examples if each.kind == "quarantined"} == {
        "empty file",
        "same image under both classes",
    }


def test_the_numbers_of_examples_are_those_of_the_files_by_path(clinic):
    files = sorted(clinic[0])
    found = clinic[2].survey.examples
    assert {each.kind for each in found} == {"typical", "odd", "quarantined"}
    assert all(files[each.number - 1] == each.path for each in found)


def test_class_folders_alone_are_split_70_15_15(tmp_path):
    images = fill(tmp_path / "images", hospital(150, ("",)))
    dataset = dataset_of(images, tmp_path / "out")
    assert_no_patient_in_two_splits(tmp_path / "out")
    shares = [dataset.images(split) / 375 for split in ("train", "eval", "test")]
    assert shares == pytest.approx([0.70, 0.15, 0.15], abs=0.05)


def test_train_and_val_are_split_80_20_beside_test(tmp_path):
    images = fill(tmp_path / "images", hospital(75, ("train/", "val/")) | hospital(1, ("test/",)))
    dataset = dataset_of(images, tmp_path / "out")
    for label in ("NORMAL", "PNEUMONIA"):
        train, evaluation = (dataset.images(split, label) for split in ("train", "eval"))
        assert evaluation / (train + evaluation) == pytest.approx(0.20, abs=0.06)


def test_any_nesting_and_case_is_read(tmp_path):
    files = {
        "Train/normal/ward/bed 1/IM-0001-0001.PNG": xray(1),
        "VAL/Pneumonia/person1_virus_1.Jpg": xray(2, "jpeg-cmyk"),
        "test/NORMAL/IM-0002-0001.bmp": xray(3, "bmp-grey"),
    }
    dataset = dataset_of(fill(tmp_path / "images", files), tmp_path / "out")
    assert set(split_of(tmp_path / "out")) == set(files)
    assert [(count.folder, count.label) for count in dataset.folders] == [
        ("train", "NORMAL"),
        ("val", "PNEUMONIA"),
        ("test", "NORMAL"),
    ]


def test_the_same_input_gives_the_same_bytes(tmp_path, clinic):
    images = fill(tmp_path / "elsewhere", dict(reversed(clinic[0].items())))
    dataset = dataset_of(images, tmp_path / "out")
    assert shard_bytes(tmp_path / "out") == shard_bytes(clinic[1])
    assert dataset.fingerprint == clinic[2].fingerprint


def test_the_bytes_do_not_depend_on_what_is_held_in_memory(tmp_path, clinic, monkeypatch):
    monkeypatch.setattr(disk_runner, "IN_MEMORY", 5000)
    monkeypatch.setattr(spool, "_SORTED", 5)
    monkeypatch.setattr(jobs, "_PART", 20)
    monkeypatch.setattr(placing, "_FILES_AT_ONCE", 3)
    monkeypatch.setattr(shards, "_MERGED", 2)
    dataset = dataset_of(fill(tmp_path / "images", clinic[0]), tmp_path / "out")
    kept = {"files", "checksum", "source_fingerprint"}
    assert dataset.model_dump(exclude=kept) == clinic[2].model_dump(exclude=kept)
    assert shard_bytes(tmp_path / "out") == shard_bytes(clinic[1])
    assert quarantined(tmp_path / "out") == quarantined(clinic[1])


def test_another_seed_gives_another_split(tmp_path, clinic):
    dataset_of(fill(tmp_path / "images", clinic[0]), tmp_path / "out", seed=8)
    assert split_of(tmp_path / "out") != split_of(clinic[1])


def test_an_image_that_is_added_moves_no_other(tmp_path, clinic):
    images = fill(tmp_path / "images", clinic[0] | {"train/NORMAL/IM-9999-0001.png": xray(9)})
    dataset_of(images, tmp_path / "out")
    after = split_of(tmp_path / "out")
    assert after.pop("train/NORMAL/IM-9999-0001.png") in ("train", "eval")
    assert after == split_of(clinic[1])


def test_records_that_stay_the_same_are_not_touched(tmp_path):
    images, out = fill(tmp_path / "images", hospital(5)), tmp_path / "out"
    first = dataset_of(images, out)

    def shards():
        found = {path: path.stat() for path in out.glob("*/*.gz")}
        return {path: (each.st_ino, each.st_mtime_ns) for path, each in found.items()}

    before = shards()
    fill(images, {"train/NORMAL/broken.png": b""})
    second = dataset_of(images, out)
    assert shards() == before
    assert list(quarantined(out)) == ["train/NORMAL/broken.png"]
    assert Dataset.load(out) == second
    assert second.fingerprint == first.fingerprint
    assert second.source_fingerprint != first.source_fingerprint


@pytest.mark.parametrize("harm", ["a shard lost", "a stranger", "a shard cut", "a byte flipped"])
def test_records_that_were_tampered_with_are_written_anew(tmp_path, harm):
    images, out = fill(tmp_path / "images", hospital(5)), tmp_path / "out"
    dataset_of(images, out)
    before = tree(out)
    if harm == "a shard lost":
        next(out.glob("train/*.gz")).unlink()
    elif harm != "a stranger":
        shard = next(out.glob("train/*.gz"))
        content = shard.read_bytes()
        former = shard.stat()
        cut = content[: len(content) // 2]
        flipped = cut + bytes([content[len(cut)] ^ 1]) + content[len(cut) + 1 :]
        shard.write_bytes(cut if harm == "a shard cut" else flipped)
        os.utime(shard, ns=(former.st_atime_ns, former.st_mtime_ns))
    else:
        fill(out, {"train/cxr-00007-of-00008.tfrecord.gz": b""})
    assert converted(images, out, settings=DatasetSettings(), seed=7) is None
    dataset_of(images, out)
    assert tree(out) == before


@pytest.mark.parametrize("name", ["quarantine.csv", "dataset.json"])
def test_a_list_that_was_tampered_with_is_written_anew_and_the_shards_stay(tmp_path, clinic, name):
    images, out = fill(tmp_path / "images", clinic[0]), tmp_path / "out"
    dataset_of(images, out)
    before, shards = tree(out), {path: path.stat() for path in out.glob("*/*.gz")}
    (out / name).write_bytes((out / name).read_bytes().replace(b"jpeg", b"jpeh"))
    (out / name).write_bytes((out / name).read_bytes().replace(b'"seed": 7', b'"seed": 8'))
    assert converted(images, out, settings=LENIENT, seed=7) is None
    dataset_of(images, out)
    assert tree(out) == before
    if name == "quarantine.csv":
        assert {path: path.stat() for path in out.glob("*/*.gz")} == shards


def test_another_number_of_shards_holds_the_same_records(tmp_path, clinic):
    out = shutil.copytree(clinic[1], tmp_path / "out")
    dataset_of(fill(tmp_path / "images", clinic[0]), out, DatasetSettings(max_bad=1, shards=3))
    assert len(shard_bytes(out)) == 9
    assert split_of(out) == split_of(clinic[1])


def test_a_dataset_is_recognised_until_anything_changes(tmp_path, clinic):
    images, out = fill(tmp_path / "images", clinic[0]), tmp_path / "out"
    assert converted(images, out, settings=LENIENT, seed=7) is None
    dataset = dataset_of(images, out)
    assert converted(images, out, settings=LENIENT, seed=7) == dataset
    assert converted(images, out, settings=LENIENT, seed=8) is None
    assert converted(images, out, settings=DatasetSettings(), seed=7) is None
    next(out.glob("train/*.gz")).unlink()
    assert converted(images, out, settings=LENIENT, seed=7) is None
    dataset_of(images, out)
    fill(images, {"train/NORMAL/new.png": xray(9)})
    assert converted(images, out, settings=LENIENT, seed=7) is None


def test_a_pattern_names_the_patients(tmp_path):
    files = {
        f"NORMAL/{patient}_{view}.png": xray(9 * patient + view)
        for patient in range(4)
        for view in range(5)
    }
    images = fill(tmp_path / "images", files)
    dataset_of(images, tmp_path / "out", LENIENT.model_copy(update={"patient_pattern": r"(\d+)_"}))
    assert {each["patient_id"][0] for each in examples(tmp_path / "out")} == {
        b"0",
        b"1",
        b"2",
        b"3",
    }
    assert_no_patient_in_two_splits(tmp_path / "out")


def test_a_table_names_the_patients(tmp_path):
    images = fill(tmp_path / "images", {f"NORMAL/{name}.png": xray(name) for name in range(6)})
    table = tmp_path / "patients.csv"
    table.write_text("path,patient\n" + "".join(f"NORMAL/{n}.png,anna\n" for n in range(5)))
    settings = LENIENT.model_copy(update={"patients": str(table), "unlisted_patients": "alone"})
    dataset_of(images, tmp_path / "out", settings)
    assert Counter(each["patient_id"][0] for each in examples(tmp_path / "out"))[b"anna"] == 5
    assert_no_patient_in_two_splits(tmp_path / "out")


def test_a_folder_that_is_mostly_broken_is_refused_with_the_list(tmp_path):
    images, out = fill(tmp_path / "images", hospital(4)), tmp_path / "out"
    dataset_of(images, out)
    before = tree(out)
    fill(images, {f"train/NORMAL/{name}.jpeg": b"" for name in range(3)})
    with pytest.raises(
        UserError, match=r"3 of 13 files \(23%\).*Commonest: empty file \(3, such as train"
    ):
        dataset_of(images, out, DatasetSettings())
    assert tree(out) == before
    assert (tmp_path / "out.quarantine.csv").read_text().count("empty file") == 3


def test_the_list_of_a_refusal_goes_with_the_next_success(tmp_path):
    images = fill(tmp_path / "images", hospital(4) | {"train/NORMAL/a.png": b""})
    with pytest.raises(UserError, match="not readable images"):
        dataset_of(images, tmp_path / "out", DatasetSettings(max_bad=0))
    dataset_of(images, tmp_path / "out", DatasetSettings(max_bad=0.2))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "out"]


def test_what_is_dropped_or_missing_is_said(tmp_path, caplog):
    files = {
        "train/NORMAL/IM-0001-0001.png": xray(1),
        "test/NORMAL/IM-0001-0002.png": xray(2),
        "train/PNEUMONIA/person1_virus_1.png": xray(3),
    }
    with caplog.at_level(logging.INFO, "components"):
        dataset_of(fill(tmp_path / "images", files), tmp_path / "out")
    assert "Dropped from train and val: 1 image of 1 patient found in test too" in caplog.text
    assert "The split test holds no PNEUMONIA" in caplog.text


def test_progress_is_reported_for_both_stages(tmp_path):
    said = []
    images = fill(tmp_path / "images", hospital(4) | {"train/NORMAL/a.png": b""})
    dataset_of(images, tmp_path / "out", progress=lambda *progress: said.append(progress))
    assert said == [
        *((done, 11) for done in range(12)),
        (11, 11),
        *((done, 10) for done in range(11)),
        (10, 10),
    ]


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("images", "lie in each other"),
        ("images/train/out", "lie in each other"),
        (".", "lie in each other"),
        ("foreign", r"is not a converted dataset \(dataset.json is missing\), so it is left alone"),
        ("file", "is not a converted dataset"),
        ("file/out", "could not be made: .*File exists"),
    ],
)
def test_what_is_not_a_dataset_is_never_overwritten(tmp_path, out, said):
    fill(tmp_path, {"foreign/thesis.doc": b"1", "file": b"1"})
    fill(tmp_path / "images", hospital(1))
    before = tree(tmp_path)
    with pytest.raises(UserError, match=said):
        dataset_of(tmp_path / "images", tmp_path / out)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("held", [{}, {"dataset.json": b"damaged", "old/shard": b"1"}])
def test_an_empty_folder_and_a_damaged_dataset_are_replaced(tmp_path, held):
    (tmp_path / "out").mkdir()
    fill(tmp_path / "out", held)
    dataset_of(fill(tmp_path / "images", hospital(2)), tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "dataset.json",
        "eval",
        "quarantine.csv",
        "test",
        "train",
    ]


def test_mistakes_in_the_input_make_no_output(tmp_path):
    with pytest.raises(UserError, match="No image folder at"):
        dataset_of(tmp_path / "nowhere", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_image_that_changes_meanwhile_stops_the_conversion(tmp_path, monkeypatch):
    images, out = fill(tmp_path / "images", hospital(4)), tmp_path / "out"
    dataset_of(images, out)
    before = tree(out)
    fill(images, {"train/NORMAL/new.png": xray(8)})
    write = jobs.Job.write

    def change_then_write(*arguments, **options):
        fill(images, {"train/NORMAL/new.png": xray(9)})
        write(*arguments, **options)

    monkeypatch.setattr(jobs.Job, "write", change_then_write)
    with pytest.raises(UserError, match=r"train/NORMAL/new.png changed while it was converted"):
        dataset_of(images, out)
    assert tree(out) == before


@pytest.fixture
def small_disk():
    """Lets no file grow beyond some bytes, as a disk that is nearly full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("size", [100, 12_000])
def test_a_full_disk_leaves_the_former_output(tmp_path, small_disk, size):
    images, out = fill(tmp_path / "images", hospital(4)), tmp_path / "out"
    dataset_of(images, out)
    before = tree(out)
    fill(images, hospital(30))
    small_disk(size)
    with pytest.raises(UserError, match=r"The disk is full: .*/out could not be written"):
        dataset_of(images, out)
    small_disk(resource.RLIM_INFINITY)
    assert tree(out) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "out"]
    assert Counter(row.read for row in rows(dataset_of(images, out)))[75] == 1


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "The disk is full"),
        (errno.EDQUOT, "The disk is full"),
        (errno.EACCES, r"out could not be made\. .*may not be read or written by you; change"),
    ],
)
def test_a_failure_of_the_disk_at_the_end_is_explained(tmp_path, monkeypatch, number, said):
    def fail(new, out):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(staging, "publish", fail)
    with pytest.raises(UserError, match=said):
        dataset_of(fill(tmp_path / "images", hospital(2)), tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images"]


def test_a_mistake_of_ours_is_not_called_the_users(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs.Job, "place", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        dataset_of(fill(tmp_path / "images", hospital(2)), tmp_path / "out")


def test_a_second_conversion_says_that_another_runs(tmp_path):
    images, out = fill(tmp_path / "images", hospital(4)), tmp_path / "out"
    running, finish = threading.Event(), threading.Event()

    def pause(done, total):
        running.set()
        finish.wait(60)

    first = threading.Thread(target=dataset_of, args=(images, out), kwargs={"progress": pause})
    first.start()
    assert running.wait(60)
    with pytest.raises(UserError, match=r"Another process is writing .*/out right now"):
        dataset_of(images, out)
    finish.set()
    first.join()
    assert len(examples(out)) == 10


@pytest.mark.slow
def test_the_workers_may_be_other_processes(tmp_path, clinic):
    beam_args = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")
    dataset = dataset_of(
        fill(tmp_path / "images", clinic[0]), tmp_path / "out", beam_args=beam_args
    )
    assert shard_bytes(tmp_path / "out") == shard_bytes(clinic[1])
    assert dataset.folders == clinic[2].folders


@pytest.mark.slow
@pytest.mark.parametrize("real", [False, True], ids=["made", "made and real"])
def test_every_kind_of_damage_is_named_and_nothing_good_is_lost(tmp_path, real):
    folder = tmp_path / "images/train/PNEUMONIA"
    expected = {f"train/PNEUMONIA/{path}": why for path, why in damage.write(folder).items()}
    if real:
        if not (SHARED / "odd_files").is_dir() or not (SHARED / "originals").is_dir():
            pytest.skip("no real files on this machine (../shared/odd_files, ../shared/originals)")
        (folder / "odd").symlink_to(SHARED / "odd_files")
        for label in ("NORMAL", "PNEUMONIA"):
            (folder / label).symlink_to(SHARED / "originals" / label)
        for path in sorted((*SHARED.glob("odd_files/*"), *SHARED.glob("originals/*/*.*"))):
            below = path.relative_to(SHARED).as_posix().removeprefix("originals/")
            below = below.replace("odd_files", "odd")
            # Its pixels are those of MONOCHROME2, whatever its tags say.
            known = {
                ".DS_Store": "skipped",
                "Fake_MONOHR1.dcm": (
                    "inverted: its grey levels run against those of the other images"
                ),
            }
            expected[f"train/PNEUMONIA/{below}"] = known.get(path.name)
    dataset = dataset_of(tmp_path / "images", tmp_path / "out")
    good = {path for path, why in expected.items() if why is None}
    assert sum(count.read for count in dataset.folders) == len(expected)
    assert {path: row["reason"] for path, row in quarantined(tmp_path / "out").items()} == {
        path: why for path, why in expected.items() if why not in (None, "skipped")
    }
    assert set(split_of(tmp_path / "out")) == good
    for example in examples(tmp_path / "out"):
        if example["format"][0] != b"dicom":
            assert hashlib.sha256(example["image"][0]).hexdigest().encode() == example["sha256"][0]


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Folders, each with what a conversion left that was killed at one moment."""
    folder = tmp_path_factory.mktemp("killed")
    dataset_of(fill(folder / "before", hospital(4)), folder / "former")
    dataset_of(fill(folder / "images", hospital(20)), folder / "unbroken")
    for moment in MOMENTS:
        (folder / "outs" / f"{moment}, nothing before").mkdir(parents=True)
        shutil.copytree(folder / "former", folder / "outs" / f"{moment}, one before/dataset")
    subprocess.run(
        [
            *(sys.executable, "-m", "tests.components.convert.killed"),
            *(str(folder / "images"), str(folder / "outs")),
        ],
        cwd=ROOT,
        check=True,
    )
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("before", ["nothing", "one"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_conversion_leaves_a_whole_output_or_none_and_is_repeated(killed, moment, before):
    out = killed / "outs" / f"{moment}, {before} before" / "dataset"
    former, unbroken = tree(killed / "former") if before == "one" else {}, tree(killed / "unbroken")
    published = {"published": unbroken, "between the renames": {} if former else unbroken}
    assert tree(out) == published.get(moment, former)
    dataset_of(killed / "images", out)
    assert tree(out) == unbroken
    assert os.listdir(out.parent) == ["dataset"]


def test_a_group_that_is_held_out_becomes_the_test_split(tmp_path):
    files = {
        f"{folder}/NORMAL/IM-{number:04d}-0001.png": xray(number)
        for number in range(10)
        for folder in ["test" if number > 7 else "train"]
    }
    for number in range(1, 9):
        darker = grey_pixels(44, 40, 100 + number) // (number + 1)
        files[f"train/PNEUMONIA/person{number}_virus_1.png"] = encode(darker, "png-grey")
    images, out = fill(tmp_path / "images", files), tmp_path / "out"
    before = dataset_of(images, tmp_path / "plain")
    dataset = dataset_of(images, out, LENIENT.model_copy(update={"hold_out": "brightness=low"}))
    assert Dataset.load(out).hold_out == "brightness=low"
    assert dataset.fingerprint != before.fingerprint
    tested = {name.decode() for each in examples(out, "test") for name in each["filename"]}
    assert {name for name in tested if "virus" in name} == {
        f"train/PNEUMONIA/person{number}_virus_1.png" for number in (7, 8)
    }
    assert not any(name.startswith("test/") for name in tested)
    assert sum(count.dropped for count in dataset.folders if count.folder == "test") == 2


def test_what_only_all_images_together_show_is_recorded_and_said(tmp_path, caplog):
    exif = Image.Exif()
    exif[0x0112] = 6
    original = grey_pixels(200, 180, 900)
    files = hospital(6, ("train/", "test/")) | {
        "test/NORMAL/IM-0900-0001.png": encode(original, "png-grey"),
        "train/NORMAL/IM-0901-0001.jpeg": encode(original[::2, ::2], "jpeg-grey"),
        "train/NORMAL/IM-0902-0001.jpeg": damage.saved(
            Image.fromarray(grey_pixels(60, 40, 902)), "JPEG", exif=exif
        ),
        "train/NORMAL/IM-0903-0001.png": png_of_16_bits(
            grey_pixels(60, 40, 903).astype(np.uint16) << 4
        ),
        "train/NORMAL/IM-0904-0001.png": damage.png_of_zeros(60, 60),
        "train/NORMAL/IM-0905-0001.jpeg": encode(original[::3, ::3], "jpeg-grey"),
        "train/PNEUMONIA/person900_virus_1.png": encode(grey_pixels(44, 40, 905), "png-grey"),
        "val/NORMAL/IM-0906-0001.jpeg": encode(grey_pixels(44, 40, 905), "jpeg-grey"),
    }
    out = tmp_path / "out"
    with caplog.at_level(logging.INFO, "components"):
        dataset = dataset_of(fill(tmp_path / "images", files), out)
    findings = {each.kind: each for each in Dataset.load(out).findings}
    assert findings["turned"].examples == ("train/NORMAL/IM-0902-0001.jpeg",)
    assert findings["unused_bits"].examples == ("train/NORMAL/IM-0903-0001.png",)
    assert findings["copies"].images == 5
    assert all(each.message in caplog.text for each in dataset.findings)
    splits = split_of(out)
    assert splits["test/NORMAL/IM-0900-0001.png"] == "test"
    assert not {"train/NORMAL/IM-0901-0001.jpeg", "train/NORMAL/IM-0905-0001.jpeg"} & set(splits)
    reasons = {path: row["reason"].split(":")[0] for path, row in quarantined(out).items()}
    assert reasons == {
        "train/NORMAL/IM-0904-0001.png": "blank",
        "train/PNEUMONIA/person900_virus_1.png": "same image under both classes",
        "val/NORMAL/IM-0906-0001.jpeg": "same image under both classes",
    }
    (turned,) = [
        each for each in examples(out) if each["filename"] == [b"train/NORMAL/IM-0902-0001.jpeg"]
    ]
    assert (turned["width"], turned["height"]) == ([40], [60])


@pytest.mark.slow
def test_the_splits_of_the_real_images_are_what_they_were(tmp_path, chest_xray):
    dataset = dataset_of(chest_xray, tmp_path / "out", DatasetSettings())
    # As converted before copies, polarity and orientation were looked at.
    assert dataset.fingerprint.startswith("3c44ec46a9153a0b")
    assert [finding.kind for finding in dataset.findings] == ["unlike"]
    assert dataset.findings[0].images < 0.006 * 5232


def test_re_encoded_copies_of_real_images_leave_the_other_splits(tmp_path):
    folder = SHARED / "found/11_reencoded_copies_across_splits"
    if not folder.is_dir():
        pytest.skip(f"no re-encoded X-rays on this machine ({folder})")
    dataset = dataset_of(folder, tmp_path / "out")
    assert not any("export_" in path for path in split_of(tmp_path / "out"))
    assert {each.kind: each.images for each in dataset.findings}["copies"] == 72


def test_every_format_gives_the_pixels_of_its_png(tmp_path):
    pixels = {name: grey_pixels(44, 40, seed) for seed, name in enumerate(FILES)}
    files = {
        f"train/{label}/{name}-{label}": FILES[name](np.rot90(pixels[name], turn))
        for turn, label in ((0, "NORMAL"), (1, "PNEUMONIA"))
        for name in FILES
    }
    dataset = dataset_of(fill(tmp_path / "images", files), tmp_path / "out")
    found = {each["filename"][0].decode(): each for each in examples(tmp_path / "out")}
    assert found.keys() == files.keys()
    for path, data in files.items():
        name, label = path.rsplit("/", 1)[1].rsplit("-", 1)
        image = Image.open(io.BytesIO(found[path]["image"][0]))
        np.testing.assert_array_equal(image, np.rot90(pixels[name], int(label == "PNEUMONIA")))
        assert found[path]["format"] == [name.split(",")[0].encode()]
        assert found[path]["sha256"] == [hashlib.sha256(data).hexdigest().encode()]
    counts = Counter(name.split(",")[0] for name in FILES)
    assert dataset.reencoded == {form: 2 * number for form, number in counts.items()}
    assert any(said.startswith("Images encoded anew") for said in dataset.sentences)
