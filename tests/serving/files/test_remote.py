"""TensorFlow's `ram://` stands for object storage: it renames no folders either."""

import uuid

import pytest
import tensorflow as tf
from tfx.types import standard_artifacts

from serving.files import remote


@pytest.fixture
def place():
    return f"ram://{uuid.uuid4().hex}"


def write(path, text):
    tf.io.gfile.makedirs(path.rpartition("/")[0])
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(text)


def read(path):
    return tf.io.gfile.GFile(path).read()


def artifact(uri):
    made = standard_artifacts.Model()
    made.uri = uri
    return made


def test_only_what_has_a_scheme_is_remote():
    assert remote.is_remote("gs://bucket/folder")
    assert not remote.is_remote("/data/folder")


def test_files_are_listed_by_their_paths_in_the_folder(place):
    write(f"{place}/a/b/c.txt", "c")
    write(f"{place}/a/d.txt", "d")
    assert remote.files(f"{place}/a") == ["b/c.txt", "d.txt"]
    assert remote.files(f"{place}/nowhere") == []
