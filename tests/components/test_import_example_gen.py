import json
import os
import uuid

import pytest
from tfx.components.util import examples_utils
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import proto_utils

from components.artifacts import example_counts
from components.import_example_gen import Executor
from serving.files import linking
from serving.images.dataset import Dataset, SplitCount
from tests import s3_store
from tests.components import tiny
from tests.s3_store import BUCKET
from transform_module.errors import UserError
from transform_module.files import remote
from transform_module.files.sums import sums


def imported(folder, out, splits=("train", "test"), **properties):
    examples = tiny.artifact(standard_artifacts.Examples, out)
    given = example_gen_pb2.Input(
        splits=[example_gen_pb2.Input.Split(name=split, pattern=f"{split}/*") for split in splits]
    )
    Executor().Do(
        {},
        {"examples": [examples]},
        {
            "input_base": str(folder),
            "input_config": proto_utils.proto_to_json(given),
            "output_data_format": example_gen_pb2.FORMAT_TF_EXAMPLE,
            **properties,
        },
    )
    return examples


@pytest.fixture
def dataset(tmp_path):
    folder = tmp_path / "dataset"
    for name in ("train/a.gz", "train/b.gz", "test/a.gz"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    counts = {"train": 7, "test": 3}
    Dataset(
        fingerprint="f1",
        source_fingerprint="s1",
        seed=7,
        shards=1,
        folders=(),
        splits=tuple(
            SplitCount(split=split, label="NORMAL", subtype="normal", images=count, patients=1)
            for split, count in counts.items()
        ),
        quarantine_reasons={},
        dropped_patients=(),
        versions={},
        files=sums(folder),
    ).save(folder)
    return folder


def placed(examples):
    return {
        os.path.relpath(os.path.join(place, name), examples.uri): open(
            os.path.join(place, name), "rb"
        ).read()
        for place, _, names in os.walk(examples.uri)
        for name in names
    }


EXPECTED = {
    "Split-train/data_tfrecord-00000-of-00002.gz": b"train/a.gz",
    "Split-train/data_tfrecord-00001-of-00002.gz": b"train/b.gz",
    "Split-test/data_tfrecord-00000-of-00001.gz": b"test/a.gz",
}


def test_each_split_has_its_files_in_their_order_as_tfx_names_and_describes_them(dataset, tmp_path):
    examples = imported(dataset, tmp_path / "out")
    assert placed(examples) == EXPECTED
    assert artifact_utils.decode_split_names(examples.split_names) == ["train", "test"]
    assert examples_utils.get_file_format(examples) == "tfrecords_gzip"
    assert examples.get_string_custom_property("payload_format") == "FORMAT_TF_EXAMPLE"


@pytest.mark.parametrize("fingerprint", ["", "f1"])
def test_the_dataset_of_the_given_fingerprint_is_taken(dataset, tmp_path, fingerprint):
    examples = imported(dataset, tmp_path / "out", dataset_fingerprint=fingerprint)
    assert placed(examples) == EXPECTED


def test_a_dataset_of_another_fingerprint_is_refused(dataset, tmp_path):
    with pytest.raises(UserError, match=r"dataset_fingerprint is 'f2'.* of the dataset 'f1'"):
        imported(dataset, tmp_path / "out", dataset_fingerprint="f2")
    assert not any((tmp_path / "out").iterdir())


def test_no_byte_is_copied_on_one_file_system_and_the_artifact_outlives_the_dataset(
    dataset, tmp_path
):
    examples = imported(dataset, tmp_path / "out")
    source = dataset / "train" / "a.gz"
    target = tmp_path / "out" / "Split-train" / "data_tfrecord-00000-of-00002.gz"
    assert source.stat().st_ino == target.stat().st_ino
    source.unlink()
    assert placed(examples) == EXPECTED


def test_elsewhere_the_files_are_copied(dataset, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("Invalid cross-device link")

    monkeypatch.setattr(linking.os, "link", refuse)
    assert placed(imported(dataset, tmp_path / "out")) == EXPECTED


def test_the_numbers_of_records_and_the_fingerprint_are_recorded(dataset, tmp_path):
    examples = imported(dataset, tmp_path / "out")
    recorded = examples.get_string_custom_property(example_counts.RECORDS)
    assert json.loads(recorded) == {"train": 7, "test": 3}
    assert examples.get_string_custom_property(example_counts.FINGERPRINT) == "f1"


def test_what_an_earlier_execution_left_is_gone(dataset, tmp_path):
    left = tmp_path / "out" / "Split-train" / "data_tfrecord-00000-of-00004.gz"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"other data")
    assert placed(imported(dataset, tmp_path / "out")) == EXPECTED
    # With the very files of before, too.
    assert placed(imported(dataset, tmp_path / "out")) == EXPECTED


def test_a_split_without_files_is_reported(dataset, tmp_path):
    with pytest.raises(UserError, match=r"no files of the split eval.*cxr convert"):
        imported(dataset, tmp_path / "out", splits=("train", "eval"))


def test_a_folder_without_a_description_is_not_a_dataset(dataset, tmp_path):
    (dataset / "dataset.json").unlink()
    with pytest.raises(UserError, match=r"no file .*dataset\.json.*cxr convert"):
        imported(dataset, tmp_path / "out")


DAMAGES = {
    "flipped": (lambda shard: shard.write_bytes(b"train/a.gy"), r"train/a\.gz is damaged"),
    "cut": (lambda shard: shard.write_bytes(b"train/"), r"train/a\.gz is damaged"),
    "removed": (lambda shard: shard.unlink(), r"train/a\.gz is missing"),
    "added": (lambda shard: (shard.parent / "c").touch(), "train/c does not belong there"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_dataset_is_not_taken(dataset, tmp_path, name):
    damage, message = DAMAGES[name]
    damage(dataset / "train" / "a.gz")
    with pytest.raises(UserError, match=rf"{message}\. Convert the images again"):
        imported(dataset, tmp_path / "out")


@pytest.fixture
def remote_dataset(dataset, store):
    place = f"minio://{BUCKET}/{uuid.uuid4().hex}"
    remote.copy(str(dataset), place, remote.files(str(dataset)))
    return place


def test_a_dataset_in_a_store_of_s3_is_taken(remote_dataset, tmp_path):
    assert placed(imported(remote_dataset, tmp_path / "out")) == EXPECTED


def test_a_file_that_the_store_does_not_list_yet_is_read_nevertheless(
    remote_dataset, store, tmp_path
):
    store.spoil = s3_store.without("train/b.gz")
    assert placed(imported(remote_dataset, tmp_path / "out")) == EXPECTED


def test_a_file_that_a_store_lacks_is_reported(remote_dataset, tmp_path):
    remote.remove(f"{remote_dataset}/train/b.gz")
    with pytest.raises(UserError, match=r"train/b\.gz is missing"):
        imported(remote_dataset, tmp_path / "out")


def test_a_store_that_denies_the_data_is_no_missing_data(remote_dataset, store, tmp_path):
    store.spoil = s3_store.denied
    with pytest.raises(OSError, match="ACCESS_DENIED"):
        imported(remote_dataset, tmp_path / "out")


def test_data_whose_connection_breaks_is_whole_or_not_taken(remote_dataset, store, tmp_path):
    store.spoil = s3_store.CutOnce(2)
    try:
        examples = imported(remote_dataset, tmp_path / "out")
    except (OSError, UserError):
        return
    assert placed(examples) == EXPECTED


def test_a_file_that_a_conversion_replaces_meanwhile_is_never_mixed_in(
    remote_dataset, store, tmp_path, monkeypatch
):
    # A second reading of a file would get other bytes.
    opened, read = remote.opened, set()

    def replaced(file):
        if file in read:
            remote.write(file, "of another dataset")
        read.add(file)
        return opened(file)

    monkeypatch.setattr(remote, "opened", replaced)
    assert placed(imported(remote_dataset, tmp_path / "out")) == EXPECTED
