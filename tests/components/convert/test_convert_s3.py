"""Conversions from and to a store that speaks S3 (moto's), with its faults."""

import csv
import uuid

import pytest

from components.convert.convert import converted
from serving.files import publication
from serving.files.claim import claimed
from serving.images.dataset import Dataset
from tests import s3_store
from tests.components.convert.folders import LENIENT, dataset_of, fill, hospital, xray
from tests.s3_store import BUCKET
from transform_module.errors import UserError
from transform_module.files import s3
from transform_module.files.place import names_below
from transform_module.files.store_path import StorePath

PLACES = {"source_fingerprint", "checksum"}
"""What of a description depends on where the images are."""


@pytest.fixture(scope="module")
def files():
    """Files of every fate."""
    return hospital(6, ("train/", "test/")) | {
        "train/NORMAL/broken.jpeg": b"",
        "train/NORMAL/röntgen 1+1 [a].png": xray(5001),
        "train/NORMAL/copy of it.png": xray(5001),
        "train/NORMAL/.DS_Store": b"\0",
        "train/PNEUMONIA/cut.png": xray(5002)[:-40],
        "train/PNEUMONIA/thumbs/person1_virus_1.png": xray(5003),
        "train/readme.txt": b"text",
        "elsewhere/scan.png": xray(5004),
    }


@pytest.fixture(scope="module")
def local(tmp_path_factory, files):
    """Images and what they are converted to on this machine."""
    folder = tmp_path_factory.mktemp("clinic")
    images = fill(folder / "images", files)
    return images, folder / "out", dataset_of(images, folder / "out")


@pytest.fixture
def place(store):
    return StorePath(f"s3://{BUCKET}/{uuid.uuid4().hex}")


@pytest.fixture
def impatient(monkeypatch):
    """A store that fails is tried once."""
    monkeypatch.setattr(s3, "_ATTEMPTS", 1)
    s3._filesystem.cache_clear()


def sent(folder, files):
    for name, content in files.items():
        with (folder / name).open("wb") as file:
            file.write(content)
    return folder


def tree(folder):
    return {name: (folder / name).read_bytes() for name in names_below(folder)}


def quarantined(out):
    rows = csv.DictReader((out / "quarantine.csv").read_text(encoding="utf-8").splitlines())
    return {row["path"]: row["reason"] for row in rows}


def only_for(name, spoil):
    """Spoils the requests of one object."""

    def spoiled(method, path, status, body):
        return spoil(method, path, status, body) if name in path else (status, body, False)

    return spoiled


def missing(method, path, status, body):
    return 404, b"<Error><Code>NoSuchKey</Code></Error>", False


def unavailable(method, path, status, body):
    return 503, b"<Error><Code>SlowDown</Code><Message>no</Message></Error>", False


@pytest.mark.parametrize("images", ["here", "in a store"])
@pytest.mark.parametrize("out", ["here", "in a store"])
def test_a_dataset_is_the_same_wherever_images_and_records_are(
    local, files, place, tmp_path, images, out
):
    source = local[0] if images == "here" else sent(place / "images", files)
    target = tmp_path / "out" if out == "here" else place / "out"
    dataset = dataset_of(source, str(target))
    assert dataset.model_dump(exclude=PLACES) == local[2].model_dump(exclude=PLACES)
    assert Dataset.load(target) == dataset
    expected, found = tree(local[1]), tree(target)
    del expected["dataset.json"], found["dataset.json"]
    assert found == expected
    left = {name.split("/")[0] for name in names_below(place)}
    assert left <= {"images", "out"}


def test_what_is_unchanged_is_not_converted_and_its_records_are_not_touched(place, store):
    images, out = sent(place / "images", hospital(3)), place / "out"
    dataset = dataset_of(images, out)
    assert converted(images, out, settings=LENIENT, seed=7) == dataset
    sent(images, {"train/NORMAL/broken.png": b""})
    assert converted(images, out, settings=LENIENT, seed=7) is None
    store.seen.clear()
    again = dataset_of(images, out)
    assert (again.fingerprint, again.folders) != (dataset.fingerprint, dataset.folders)
    assert again.fingerprint == dataset.fingerprint
    assert list(quarantined(out)) == ["train/NORMAL/broken.png"]
    assert not [each for each in store.seen if each.startswith("PUT") and ".tfrecord" in each]
    assert converted(images, out, settings=LENIENT, seed=7) == again


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (missing, "cannot be opened: no such file or directory"),
        (s3_store.denied, "cannot be opened: permission denied"),
    ],
)
def test_an_object_that_cannot_be_read_is_quarantined(place, store, tmp_path, spoil, reason):
    images = sent(place / "images", hospital(3))
    store.spoil = only_for("person1_virus_1.png", spoil)
    dataset_of(images, tmp_path / "out")
    assert quarantined(tmp_path / "out") == {"train/PNEUMONIA/person1_virus_1.png": reason}


@pytest.mark.parametrize("spoil", [unavailable, s3_store.denied])
def test_a_store_that_fails_in_the_middle_stops_the_conversion(
    place, store, tmp_path, impatient, spoil
):
    images = sent(place / "images", hospital(3))
    dataset_of(images, tmp_path / "out")
    before = tree(tmp_path)

    def failing(method, path, status, body):
        is_list = method == "GET" and "list-type" in path
        # The list was given; everything after it fails.
        failing.after |= is_list
        return (
            spoil(method, path, status, body)
            if failing.after and not is_list
            else (
                status,
                body,
                False,
            )
        )

    failing.after = False
    store.spoil = failing
    with pytest.raises(UserError) as raised:
        dataset_of(images, tmp_path / "out")
    assert str(raised.value).startswith(f"{images}")
    assert "\n" not in str(raised.value)
    assert tree(tmp_path) == before


def test_a_store_that_cannot_be_listed_is_not_an_empty_one(place, store, tmp_path):
    images = sent(place / "images", hospital(1))
    store.spoil = s3_store.denied
    with pytest.raises(UserError, match=r"images cannot be listed: .* Check the permissions"):
        dataset_of(images, tmp_path / "out")


def test_broken_connections_change_nothing(local, files, place, store):
    images = sent(place / "images", files)
    store.spoil = s3_store.CutOnce(3)
    dataset_of(images, place / "out")
    assert store.spoil.left == 0
    found, expected = tree(place / "out"), tree(local[1])
    assert [found[name] for name in local[2].files] == [expected[name] for name in local[2].files]


def test_a_conversion_that_fails_leaves_the_former_output(place, store, local, files, tmp_path):
    images = fill(tmp_path / "images", hospital(3))
    dataset_of(images, place / "out")
    before = tree(place)
    fill(images, {"train/NORMAL/IM-9999-0001.png": xray(9)})
    store.spoil = only_for("/new/train/cxr-", s3_store.denied)
    with pytest.raises(UserError, match="cannot be written"):
        dataset_of(images, place / "out")
    store.spoil = None
    assert tree(place) == before


def test_publishing_that_is_cut_off_leaves_no_dataset_and_is_repaired(place, tmp_path, monkeypatch):
    images, out = fill(tmp_path / "images", hospital(3)), place / "out"
    dataset_of(images, out)
    fill(images, {"train/NORMAL/IM-9999-0001.png": xray(9)})
    copy, copied = StorePath.copy_from, []

    def cut_off(self, source):
        if len(copied) == 3:
            raise KeyboardInterrupt
        copied.append(source)
        copy(self, source)

    with monkeypatch.context() as patch:
        patch.setattr(StorePath, "copy_from", cut_off)
        with pytest.raises(KeyboardInterrupt):
            dataset_of(images, out)
    with pytest.raises(UserError, match=r"dataset\.json is missing"):
        Dataset.load(out)
    dataset = dataset_of(images, out)
    assert converted(images, out, settings=LENIENT, seed=7) == dataset


def test_a_mix_of_two_conversions_is_not_whole(place, tmp_path, monkeypatch):
    """The other one publishes right before the record is written, having stolen the claim."""
    images, out = fill(tmp_path / "images", hospital(3)), place / "out"
    others = fill(tmp_path / "others", hospital(4))
    other = place / "other"
    dataset_of(others, other)

    def stolen(self):
        for name in Dataset.load(other).files:
            (out / name).copy_from(other / name)

    monkeypatch.setattr("serving.files.claim.Claim.require", stolen)
    dataset_of(images, out)
    assert converted(images, out, settings=LENIENT, seed=7) is None


def test_one_conversion_at_a_time_publishes(place, tmp_path, monkeypatch):
    monkeypatch.setattr("serving.files.claim._ATTEMPTS", 1)
    images, out = fill(tmp_path / "images", hospital(3)), place / "out"
    dataset_of(images, out)
    before = tree(out)
    fill(images, {"train/NORMAL/IM-9999-0001.png": xray(9)})
    with (
        claimed(str(out)),
        pytest.raises(UserError, match="another process publishes there"),
    ):
        dataset_of(images, out)
    assert tree(out) == before


def test_records_that_another_conversion_replaced_are_not_described(place, tmp_path, monkeypatch):
    images, out = fill(tmp_path / "images", hospital(3)), place / "out"
    dataset_of(images, out)
    fill(images, {"train/NORMAL/broken.png": b""})
    update = publication.update

    def late(new, target, record, check):
        with monkeypatch.context() as patch:
            patch.setattr(publication, "update", update)
            dataset_of(fill(tmp_path / "others", hospital(4)), out)
        update(new, target, record, check)

    monkeypatch.setattr(publication, "update", late)
    with pytest.raises(UserError, match="was replaced by another conversion meanwhile"):
        dataset_of(images, out)
    assert converted(tmp_path / "others", out, settings=LENIENT, seed=7)


def test_what_is_not_a_dataset_is_left_alone(place, tmp_path):
    images, out = fill(tmp_path / "images", hospital(1)), place / "out"
    sent(out, {"thesis.doc": b"1"})
    with pytest.raises(UserError, match=r"is not a converted dataset .* left alone"):
        dataset_of(images, out)
    assert tree(place) == {"out/thesis.doc": b"1"}
    with pytest.raises(UserError, match="lie in each other"):
        dataset_of(place, out)
    with pytest.raises(UserError, match="is a whole bucket"):
        dataset_of(images, f"s3://{BUCKET}")
