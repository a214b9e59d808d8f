"""TensorFlow's `ram://` stands for object storage: it renames no folders either."""

import uuid

import tensorflow as tf


def new_place():
    """Names a place that holds nothing."""
    return f"ram://{uuid.uuid4().hex}"


def write(path, text):
    tf.io.gfile.makedirs(path.rpartition("/")[0])
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(text)


def read(path):
    return tf.io.gfile.GFile(path).read()
