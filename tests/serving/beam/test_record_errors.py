"""Beam's error of a damaged TFRecord, through a true pipeline."""

import gzip

import apache_beam as beam
import pytest
import tensorflow as tf
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from serving.beam.record_errors import name_damaged_files

SECRET = b"person7_virus_9.jpeg " * 400


@pytest.fixture
def shard(tmp_path):
    path = tmp_path / "shard.gz"
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for _ in range(3):
            writer.write(SECRET)
    return path


def read(path):
    name_damaged_files()
    name_damaged_files()
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        _ = pipeline | beam.io.ReadFromTFRecord(str(path)) | beam.Map(len)


def test_what_is_whole_is_read(shard):
    read(shard)


DAMAGES = {
    "a flipped byte of a record": lambda raw: raw[:99] + b"\0" + raw[100:],
    "a flipped byte of its length": lambda raw: b"\1" + raw[1:],
    "a record that is cut": lambda raw: raw[:5000],
    "a length that is cut": lambda raw: raw[:7],
}


@pytest.mark.parametrize("name", DAMAGES)
def test_the_file_is_named_and_no_byte_of_it_is_reported(shard, name, caplog, capfd):
    raw = gzip.decompress(shard.read_bytes())
    shard.write_bytes(gzip.compress(DAMAGES[name](raw)))
    with pytest.raises(Exception, match=r"shard\.gz is damaged or cannot be read") as raised:
        read(shard)
    printed = capfd.readouterr()
    message = f"{raised.getrepr(chain=True)}{caplog.text}{printed.out}{printed.err}"
    for leaked in ("person7", SECRET[:20].hex(), repr(SECRET[:20])):
        assert leaked not in message


def test_a_compressed_file_that_is_cut_is_named(shard):
    shard.write_bytes(shard.read_bytes()[:-30])
    with pytest.raises(Exception, match=r"shard\.gz is damaged or cannot be read"):
        read(shard)
